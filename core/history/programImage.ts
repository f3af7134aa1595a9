/** What memory knows of one program and its symbols, as bytes: as much as its history shows. Pointers, its type and what else only the kernel needs are left out. */
import { inputOf, takeInt, takeUint, type Input } from '../codec/input.js';
import { newOutput, putInt, putUint, type Output } from '../codec/output.js';
import type { KernelSymbol, Memory, Program, ProgramState } from '../memory/memory.js';
import { SparseMap } from '../memory/sparse.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { putSized, takeSized } from './texts.js';

export interface ProgramImage {
  readonly program: Program;
  /** Those it has at its entry. */
  readonly symbols: readonly KernelSymbol[];
}

const STATES: readonly ProgramState[] = ['allocated', 'written', 'live', 'closing'];

const putAddress = (out: Output, { page, offset }: Address): void => {
  putUint(out, page);
  putUint(out, offset);
};
const takeAddress = (input: Input): Address => Address.of(takeUint(input), takeUint(input));

export const symbolsOf = (memory: Memory, { number, start }: Program): readonly KernelSymbol[] =>
  start === null
    ? []
    : (SparseMap.get(memory.symbols, start.page) ?? []).filter(({ program }) => program === number);

export const encodeProgram = ({ program, symbols }: ProgramImage): Uint8Array => {
  const out = newOutput(128);
  const { chunk, start } = program;
  putAddress(out, chunk);
  putUint(out, program.bytes);
  // An entry lies in the memory of its program.
  putUint(out, start === null ? 0 : 1);
  if (start !== null) putInt(out, Address.minus(start, chunk));
  putInt(out, program.length ?? -1);
  putInt(out, program.id ?? -1);
  putUint(out, program.symbols);
  putUint(out, STATES.indexOf(program.state));
  putUint(out, symbols.length);
  let named = -1;
  for (const [at, { start: from, end, name }] of symbols.entries()) {
    putInt(out, Address.minus(from, chunk));
    putUint(out, Address.minus(end, from));
    putSized(out, name);
    if (name === program.name) named = at;
  }
  putInt(out, program.name === null ? -1 : named < 0 ? symbols.length : named);
  if (program.name !== null && named < 0) putSized(out, program.name);
  return out.bytes.slice(0, out.at);
};

export const decodeProgram = (number: number, bytes: Uint8Array): ProgramImage => {
  const input = inputOf(bytes);
  const chunk = takeAddress(input);
  const size = takeUint(input);
  const start = takeUint(input) === 0 ? null : Address.add(chunk, takeInt(input));
  const [length, id] = [takeInt(input), takeInt(input)];
  const count = takeUint(input);
  const state = STATES[takeUint(input)] ?? 'allocated';
  const symbols: KernelSymbol[] = [];
  for (let left = takeUint(input); left > 0; left--) {
    const from = Address.add(chunk, takeInt(input));
    const end = Address.add(from, takeUint(input));
    symbols.push({ start: from, end, name: takeSized(input), ksym: Word.zero, since: 0, program: number });
  }
  const named = takeInt(input);
  const name = named < 0 ? null : (symbols[named]?.name ?? takeSized(input));
  return {
    program: {
      number,
      pointer: Word.zero,
      chunk,
      bytes: size,
      proglen: 0,
      type: '',
      start,
      length: length < 0 ? null : length,
      name,
      id: id < 0 ? null : id,
      symbols: count,
      state,
    },
    symbols,
  };
};
