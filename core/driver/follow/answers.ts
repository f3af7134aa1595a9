import { STRUCT_PAGE } from '../../kernel/vmalloc.js';
import type { ChoiceKind, Choices } from '../../kernel/request.js';
import { Memory } from '../../memory/memory.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Word } from '../../value/words.js';
import {
  recordedAddress,
  recordedNumber,
  recordedText,
  recordedValue,
  type RecordedLine,
} from '../recorded.js';
import type { Visibility } from './visibility.js';

/** What an answer may look at: the task's next line, the line that opened its root call, memory, what has been seen. */
export interface AnswerContext {
  readonly line: RecordedLine;
  readonly root: RecordedLine | null;
  readonly memory: Memory;
  readonly seen: Visibility;
  /** Of the architecture, in bytes. */
  readonly pageSize: number;
  /** What a permission call does to the direct map has lines of its own. */
  readonly leavesShown: boolean;
  /** set_memory_* are stubs that no line can show. */
  readonly protectsUnseen: boolean;
  /** A pack has existed, so its size is settled (5.18). */
  readonly packsSized: boolean;
}

type Answer<K extends ChoiceKind> = (
  question: Choices[K]['question'],
  context: AnswerContext,
) => Choices[K]['answer'];

/** Upper half of PTE_GP (arm64). */
const GUARDED_PAGE = 0x40000;

const entryOf = (line: RecordedLine, ...names: readonly string[]): boolean =>
  !line.isReturn && names.includes(line.fn);
const resultOf = (line: RecordedLine, ...names: readonly string[]): boolean =>
  line.isReturn && names.includes(line.fn);

export const AREA_CALLS = [
  '__vmalloc_node_range',
  'module_alloc',
  'module_alloc_huge',
  'bpf_jit_alloc_exec',
  'execmem_alloc',
  'execmem_vmalloc',
];
const FINAL_CALLS = [
  'bpf_jit_binary_pack_finalize',
  'bpf_arch_text_copy',
  'set_memory_ro',
  'set_memory_rox',
  'set_memory_x',
  'change_memory_attr',
  '__set_memory',
];

/** 64 TiB of physical memory: what lies higher is no address of the direct map. */
const MOST_FRAMES = 2 ** 34;

/** Frame of the struct page that a line shows; -1: none. */
const structPageOf = (line: RecordedLine, { vmemmap }: Memory, pageSize: number): number => {
  if (!entryOf(line, 'set_direct_map_invalid_noflush', 'set_direct_map_default_noflush')) return -1;
  const page = recordedAddress(line, 'page');
  if (page === null || Word.isZero(vmemmap)) return -1;
  return Math.floor(Address.minus(page, Word.toAddress(vmemmap)) / STRUCT_PAGE) * (pageSize / PAGE_SIZE);
};

const frameOf = ({ line, root, memory, pageSize }: AnswerContext): number => {
  if (entryOf(line, '__change_page_attr_set_clr')) {
    const pfn = recordedNumber(line, 'pfn') ?? 0;
    if (pfn !== 0) return pfn;
    const at = recordedAddress(line, 'vaddr');
    return at === null || memory.directBase === 0 ? -1 : at.page - memory.directBase;
  }
  if (entryOf(line, 'cpa_flush')) {
    const pfn = recordedNumber(line, 'pfn') ?? 0;
    return pfn === 0 ? -1 : pfn;
  }
  if (entryOf(line, '__set_memory')) {
    const at = recordedAddress(line, 'addr');
    return at === null ? -1 : at.page - memory.directBase;
  }
  // The flush of a freed area begins with its lowest alias.
  if (entryOf(line, '_vm_unmap_aliases')) {
    const at = recordedAddress(line, 'start') ?? recordedAddress(line, 'arg1');
    const pfn = at === null || memory.directBase === 0 ? -1 : at.page - memory.directBase;
    return pfn >= 0 && pfn < MOST_FRAMES ? pfn : -1;
  }
  const shown = structPageOf(line, memory, pageSize);
  // A root call of its own names its page itself.
  return shown >= 0 || root === null ? shown : structPageOf(root, memory, pageSize);
};

const patchAt = (line: RecordedLine, ...names: readonly string[]): { at: Address; length: number } | null => {
  if (!entryOf(line, ...names)) return null;
  const at = recordedAddress(line, 'addr');
  return at === null ? null : { at, length: recordedNumber(line, 'len') ?? 5 };
};

/** How a recording answers each choice: from the next line of the same task. */
export const ANSWERS: { readonly [K in ChoiceKind]: Answer<K> } = {
  clone: ({ prog }, { line }) =>
    resultOf(line, 'bpf_jit_blind_constants') ? (recordedValue(line, 'ret') ?? prog) : prog,
  image: (_, { line }) =>
    entryOf(line, 'bpf_jit_binary_pack_alloc', 'bpf_jit_binary_alloc')
      ? (recordedNumber(line, 'proglen') ?? 0)
      : 0,
  type: (_, { line, root }) => {
    if (recordedNumber(line, 'was_classic') === 1) return 'classic';
    // jit_subprogs sets up functions with no interpreter behind them; single programs point to it.
    return root !== null && recordedNumber(root, 'bpf_func') === 0 ? 'function' : 'program';
  },
  final: (_, { line, root, protectsUnseen }) =>
    entryOf(line, ...FINAL_CALLS) ||
    // Without permission calls: a function of several is set up without code, any other pass is the last.
    (protectsUnseen &&
      resultOf(line, 'bpf_int_jit_compile') &&
      (recordedNumber(line, 'jited_len') ?? 0) > 0 &&
      root !== null &&
      recordedNumber(root, 'bpf_func') !== 0),
  placement: ({ chunk, proglen }, { line, pageSize }) => {
    if (!resultOf(line, 'bpf_int_jit_compile')) return null;
    const start = recordedAddress(line, 'bpf_func');
    const length = recordedNumber(line, 'jited_len');
    if (start === null || length === null || length === 0) return null;
    const offset = Address.minus(start, chunk);
    return offset >= 0 && offset < proglen + pageSize ? { start, length } : null;
  },
  charge: (_, { line }) => {
    if (resultOf(line, 'bpf_jit_charge_modmem')) return (recordedValue(line, 'ret')?.lo ?? 0) | 0;
    return resultOf(line, 'bpf_jit_binary_pack_alloc', 'bpf_jit_binary_alloc') &&
      recordedNumber(line, 'ret') === 0
      ? -1
      : 0;
  },
  buffer: (_, { line }) => {
    if (entryOf(line, 'jit_fill_hole')) return recordedValue(line, 'area') ?? Word.zero;
    if (resultOf(line, 'bpf_jit_binary_pack_alloc')) {
      if (recordedNumber(line, 'ret') === 0) return null;
      return recordedValue(line, 'rw_header') ?? Word.zero;
    }
    return entryOf(line, 'bpf_prog_pack_free') ? null : Word.zero;
  },
  chunk: ({ predicted }, { line }) => {
    // Where the return line itself is missing, later lines show the same address.
    const at = resultOf(line, 'bpf_prog_pack_alloc', 'bpf_jit_binary_pack_alloc')
      ? recordedAddress(line, 'ret')
      : entryOf(line, 'bpf_jit_binary_pack_finalize')
        ? recordedAddress(line, 'ro_header')
        : null;
    if (at !== null) return Address.isZero(at) ? null : at;
    return entryOf(line, ...AREA_CALLS, 'alloc_new_pack') ? null : predicted;
  },
  // Done once a boot, perhaps before the recording: it asks for huge pages, an image or a small pack does not.
  trial: (_, { line, packsSized }) =>
    !packsSized && entryOf(line, ...AREA_CALLS) && (recordedNumber(line, 'size') ?? 0) % 0x200000 === 0,
  area: (_, { line }) => {
    const at = entryOf(line, 'vmap_pages_range_noflush')
      ? recordedAddress(line, 'addr')
      : resultOf(line, ...AREA_CALLS, 'bpf_jit_binary_alloc', 'bpf_prog_pack_alloc')
        ? recordedAddress(line, 'ret')
        : null;
    // Nothing is made up: an area that no line shows was not allocated, as far as is known.
    return at === null || Address.isZero(at) ? null : at;
  },
  frames: () => null,
  frame: (_, context) => frameOf(context),
  // A region met for the first time is taken for whole, as boot leaves it; where __should_split_large_page is recorded, its absence says otherwise.
  leaf: ({ pfn }, { line, seen, leavesShown }) =>
    !leavesShown && pfn >= 0
      ? 0
      : entryOf(line, '__should_split_large_page')
        ? 21
        : pfn < 0 || seen.hasSeen('__change_page_attr')
          ? 12
          : 21,
  older: (_, { line, pageSize }) => {
    if (entryOf(line, 'bpf_jit_binary_pack_finalize')) {
      const chunk = recordedAddress(line, 'ro_header');
      const bytes = recordedNumber(line, 'rw_header_size');
      return chunk === null || bytes === null ? null : { chunk, bytes };
    }
    if (!entryOf(line, 'set_memory_ro', 'set_memory_rox', 'change_memory_attr')) return null;
    const chunk = recordedAddress(line, 'addr');
    const pages = recordedNumber(line, 'numpages');
    return chunk === null || pages === null ? null : { chunk, bytes: pages * pageSize };
  },
  purge: ({ predicted }, { line }) => {
    if (entryOf(line, 'flush_tlb_kernel_range')) return 1;
    if (resultOf(line, '__purge_vmap_area_lazy')) return (recordedValue(line, 'ret')?.lo ?? 0) & 0xff;
    return predicted ?? 0;
  },
  pageTable: (_, { line }) =>
    !(line.isReturn && line.fn === '__change_page_attr' && (recordedValue(line, 'ret')?.lo ?? 0) !== 0),
  more: ({ fn }, { line }) =>
    fn === 'dispatcher-image' ? entryOf(line, 'bpf_prog_pack_alloc', ...AREA_CALLS) : entryOf(line, fn),
  emptied: (_, { line }) => {
    if (!entryOf(line, 'module_memfree', 'bpf_jit_free_exec', 'execmem_free', 'vfree', 'set_memory_nx'))
      return null;
    return (
      recordedAddress(line, 'addr') ?? recordedAddress(line, 'module_region') ?? recordedAddress(line, 'ptr')
    );
  },
  symbol: (_, { line }) => {
    if (!entryOf(line, 'bpf_ksym_add')) return null;
    const start = recordedAddress(line, 'start');
    const end = recordedAddress(line, 'end');
    if (start === null || end === null) return null;
    return {
      start,
      end,
      name: recordedText(line, 'name') ?? '',
      ksym: recordedValue(line, 'ksym') ?? Word.zero,
    };
  },
  patch: ({ fn, program }, { line, memory }) => {
    if (fn === 'arch_prepare_bpf_dispatcher') {
      if (!entryOf(line, fn)) return null;
      const at = recordedAddress(line, 'image');
      return at === null ? null : { at, length: 2048 };
    }
    if (fn === 'dispatcher-jump') {
      if (!entryOf(line, 'bpf_arch_text_poke')) return null;
      const at = recordedAddress(line, 'ip');
      return at === null ? null : { at, length: 5 };
    }
    const site = patchAt(line, 'text_poke_bp', 'smp_text_poke_single');
    // Pokes of kernel text may stand there too.
    const own =
      program === undefined || (site !== null && Memory.programAt(memory, site.at)?.number === program);
    return own ? site : null;
  },
  result: ({ fn, predicted }, { line }) => {
    if (fn === 'change_memory_common' && entryOf(line, fn)) {
      const masks = ['set_mask', 'clear_mask'].map((name) => recordedValue(line, name)?.hi ?? 0);
      return masks.reduce((all, hi) => all | hi, 0) & GUARDED_PAGE;
    }
    if (fn === 'header')
      return (
        recordedNumber(line, 'size') ??
        recordedNumber(line, 'hdr_size') ??
        recordedNumber(line, 'len') ??
        predicted
      );
    return resultOf(line, fn) ? (recordedValue(line, 'ret')?.lo ?? 0) | 0 : predicted;
  },
  predictor: () => false,
};
