/**
 * What a model is given where a recording shows the order of calls and no values: any value will do, as long as the calls that follow from it are those
 * that the next line shows. Nothing of it reaches the log.
 */
import type { Args, ChoiceKind, Choices } from '../../kernel/request.js';
import { Memory, type Program } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import { ANSWERS, AREA_CALLS, type AnswerContext } from './answers.js';

/** Bytes of an image, and of the code in it. */
const IMAGE = 100;
const FIRST_POINTER = 0x1000;
const POINTERS_APART = 0x1000;

/** Where a chunk lies while no pack is known. */
const CHUNK = Address.of(1);

const UNKNOWN: Args = {
  addr: Address.zero,
  ptr: Address.zero,
  dst: Address.zero,
  ip: Address.zero,
  start: Address.zero,
  end: Address.zero,
  prog: Word.zero,
  other: Word.zero,
  ksym: Word.zero,
  poke: Word.zero,
  d: Word.zero,
  from: Word.zero,
  to: Word.zero,
  set_mask: Word.zero,
  clear_mask: Word.zero,
  name: '',
  numpages: 0,
  len: 0,
  c: 0,
  flags: 0,
  flush: 0,
  type: 0,
  size: 4096,
  align: 1,
  vm_flags: 0,
  pfn: -1,
};

/** The program of longest standing in some state. */
const oldest = (memory: Memory, allocated: boolean): Program | null => {
  for (const program of Memory.programs(memory))
    if ((program.state === 'allocated') === allocated && program.type !== 'dispatcher') return program;
  return null;
};

const isEntry = (line: AnswerContext['line'], ...names: readonly string[]): boolean =>
  names.includes(line.fn);

/** Arguments of a root call; `next`: the next line of its task, null where there is none. */
export interface Supposed {
  readonly args: (fn: string, memory: Memory, next: AnswerContext['line'] | null) => Args;
  readonly answer: (what: ChoiceKind, question: never, context: AnswerContext) => unknown;
}

export const supposed = (): Supposed => {
  let pointers = FIRST_POINTER;

  const own: {
    readonly [K in ChoiceKind]?: (
      question: Choices[K]['question'],
      context: AnswerContext,
    ) => Choices[K]['answer'];
  } = {
    image: (_, { line }) =>
      isEntry(line, 'bpf_jit_binary_pack_alloc', 'bpf_jit_binary_alloc', 'bpf_jit_charge_modmem') ? IMAGE : 0,
    // Its memory comes from a pass before, as the second of two does.
    older: (_, { line, memory }) => {
      if (!isEntry(line, 'bpf_jit_binary_pack_finalize', 'set_memory_ro', 'set_memory_rox')) return null;
      const program = oldest(memory, true);
      return { chunk: program?.chunk ?? CHUNK, bytes: program?.bytes ?? IMAGE };
    },
    charge: (_, { line }) =>
      isEntry(line, 'bpf_prog_pack_alloc', 'bpf_jit_alloc_exec', ...AREA_CALLS) ? 0 : -1,
    // The dispatcher takes an area of its own as soon as it has its chunk.
    chunk: ({ predicted }, { line }) =>
      isEntry(line, ...AREA_CALLS, 'alloc_new_pack') && line.place !== 'bpf_dispatcher_change_prog'
        ? null
        : (predicted ?? CHUNK),
    area: ({ predicted }) => predicted,
    // How full a pack is depends on sizes that nobody recorded: it was empty where its area is given back.
    emptied: ({ at }, { line, memory }) =>
      isEntry(line, 'module_memfree', 'bpf_jit_free_exec', 'execmem_free', 'vfree', 'set_memory_nx')
        ? Address.of(Memory.packAt(memory, at.page)?.start ?? at.page)
        : null,
    symbol: (_, { line }) =>
      isEntry(line, 'bpf_ksym_add')
        ? { start: Address.zero, end: Address.zero, name: '', ksym: Word.zero }
        : null,
    patch: (_, { line }) =>
      isEntry(
        line,
        'text_poke_bp',
        'smp_text_poke_single',
        'bpf_arch_text_poke',
        'arch_prepare_bpf_dispatcher',
      )
        ? { at: Address.zero, length: 5 }
        : null,
    placement: ({ chunk }) => ({ start: chunk, length: IMAGE }),
  };

  const args = (fn: string, memory: Memory, next: AnswerContext['line'] | null): Args => {
    if (fn === 'bpf_int_jit_compile') {
      pointers += POINTERS_APART;
      return { ...UNKNOWN, prog: Word.fromNumber(pointers) };
    }
    if (fn !== 'bpf_jit_free') return UNKNOWN;
    if (
      next === null ||
      !isEntry(next, 'bpf_jit_binary_pack_free', 'bpf_jit_binary_free', 'bpf_jit_free_exec')
    )
      return { ...UNKNOWN, jited_len: 0, bpf_func: undefined };
    const program = oldest(memory, false) ?? oldest(memory, true);
    return { ...UNKNOWN, jited_len: IMAGE, bpf_func: program?.chunk ?? CHUNK };
  };

  return {
    args,
    answer: (what, question, context) => {
      const answer = (own[what] ?? ANSWERS[what]) as (question: unknown, context: AnswerContext) => unknown;
      return answer(question, context);
    },
  };
};
