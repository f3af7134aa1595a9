import type { EventOf } from '../event/event.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import type { Draft } from './evolve.js';
import { chunkBlock, type KernelSymbol, type Program } from './memory.js';
import { SparseMap } from './sparse.js';

type ProgramEvent = EventOf<
  | 'program-allocated'
  | 'program-placed'
  | 'program-finalized'
  | 'published'
  | 'unpublished'
  | 'program-freed'
  | 'program-joined'
>;
type Index = SparseMap<readonly number[]>;

const add = (index: Index, token: object, key: number, number: number): Index => {
  const list = SparseMap.get(index, key);
  return SparseMap.set(index, token, key, list === undefined ? [number] : [...list, number]);
};

const drop = (index: Index, token: object, key: number, number: number): Index => {
  const list = SparseMap.get(index, key);
  if (list === undefined) return index;
  const left: number[] = [];
  for (let i = 0; i < list.length; i++) if (list[i] !== number) left.push(list[i] as number);
  return SparseMap.set(index, token, key, left.length === 0 ? undefined : left);
};

const addChunk = (index: Index, token: object, { number, chunk }: Program): Index => {
  const list = SparseMap.get(index, chunk.page) ?? [];
  return SparseMap.set(index, token, chunk.page, [...list, number, chunkBlock(chunk)]);
};

const dropChunk = (index: Index, token: object, { number, chunk }: Program): Index => {
  const list = SparseMap.get(index, chunk.page);
  if (list === undefined) return index;
  const left: number[] = [];
  for (let i = 0; i < list.length; i += 2)
    if (list[i] !== number) left.push(list[i] as number, list[i + 1] as number);
  return SparseMap.set(index, token, chunk.page, left.length === 0 ? undefined : left);
};

type MutableProgram = { -readonly [K in keyof Program]: Program[K] };

/** Written out: a spread followed by changes is several times slower. */
const copyOf = (program: Program): MutableProgram => ({
  number: program.number,
  pointer: program.pointer,
  chunk: program.chunk,
  bytes: program.bytes,
  proglen: program.proglen,
  type: program.type,
  start: program.start,
  length: program.length,
  name: program.name,
  id: program.id,
  symbols: program.symbols,
  state: program.state,
});

const replace = (draft: Draft, token: object, program: Program): void => {
  draft.programs = SparseMap.set(draft.programs, token, program.number, program);
};

const pointerPage = (pointer: Word): number => Word.toAddress(pointer).page;

const publish = (draft: Draft, token: object, event: EventOf<'published'>): void => {
  const symbol: KernelSymbol = {
    start: event.start,
    end: event.end,
    name: event.name,
    ksym: event.ksym,
    program: event.program,
    since: event.seq,
  };
  const page = event.start.page;
  const list = SparseMap.get(draft.symbols, page);
  draft.symbols = SparseMap.set(
    draft.symbols,
    token,
    page,
    list === undefined ? [symbol] : [...list, symbol],
  );
  const program = SparseMap.get(draft.programs, event.program);
  if (program === undefined) return;
  const live = copyOf(program);
  // The main function of a program with functions has two symbols: the later one names the program.
  live.name = event.name;
  if (event.id !== 0) live.id = event.id;
  live.symbols++;
  live.state = 'live';
  replace(draft, token, live);
};

/** Index of the symbol that goes: by its identity, or by its name where that is not known. */
const symbolAt = (list: readonly KernelSymbol[], { start, ksym, name }: EventOf<'unpublished'>): number => {
  let named = -1;
  for (let i = 0; i < list.length; i++) {
    const symbol = list[i] as KernelSymbol;
    if (!Address.equals(symbol.start, start)) continue;
    if (Word.equals(symbol.ksym, ksym)) return i;
    if (named < 0 && symbol.name === name) named = i;
  }
  return named;
};

const unpublish = (draft: Draft, token: object, event: EventOf<'unpublished'>): void => {
  const page = event.start.page;
  const list = SparseMap.get(draft.symbols, page) ?? [];
  const at = symbolAt(list, event);
  const symbol = list[at];
  if (symbol === undefined) return;
  const left: KernelSymbol[] = [];
  for (let i = 0; i < list.length; i++) if (i !== at) left.push(list[i] as KernelSymbol);
  draft.symbols = SparseMap.set(draft.symbols, token, page, left.length === 0 ? undefined : left);
  const program = SparseMap.get(draft.programs, symbol.program);
  if (program === undefined) return;
  const next = copyOf(program);
  next.symbols--;
  if (program.symbols === 1) next.state = 'closing';
  replace(draft, token, next);
};

/** Puts a program in its place, in both indexes, too. */
export const putProgram = (draft: Draft, token: object, program: Program): void => {
  replace(draft, token, program);
  draft.programsByChunk = addChunk(draft.programsByChunk, token, program);
  if (!Word.isZero(program.pointer))
    draft.programsByPointer = add(
      draft.programsByPointer,
      token,
      pointerPage(program.pointer),
      program.number,
    );
};

export const applyProgram = (draft: Draft, token: object, event: ProgramEvent): void => {
  switch (event.kind) {
    case 'program-allocated': {
      const program: Program = {
        number: event.program,
        pointer: event.pointer,
        chunk: event.chunk,
        bytes: event.bytes,
        proglen: event.proglen,
        type: event.type,
        start: null,
        length: null,
        name: null,
        id: null,
        symbols: 0,
        state: 'allocated',
      };
      putProgram(draft, token, program);
      return;
    }
    case 'program-placed': {
      const program = SparseMap.get(draft.programs, event.program);
      if (program === undefined) return;
      const placed = copyOf(program);
      placed.start = event.start;
      placed.length = event.length;
      return replace(draft, token, placed);
    }
    case 'program-finalized': {
      const program = SparseMap.get(draft.programs, event.program);
      if (program === undefined || program.state !== 'allocated') return;
      const written = copyOf(program);
      written.state = 'written';
      return replace(draft, token, written);
    }
    case 'published':
      return publish(draft, token, event);
    case 'unpublished':
      return unpublish(draft, token, event);
    case 'program-joined': {
      const program = SparseMap.get(draft.programs, event.program);
      if (program === undefined) return;
      if (!Word.isZero(program.pointer))
        draft.programsByPointer = drop(
          draft.programsByPointer,
          token,
          pointerPage(program.pointer),
          event.program,
        );
      const joined = copyOf(program);
      joined.pointer = event.pointer;
      replace(draft, token, joined);
      if (!Word.isZero(event.pointer))
        draft.programsByPointer = add(
          draft.programsByPointer,
          token,
          pointerPage(event.pointer),
          event.program,
        );
      return;
    }
    case 'program-freed': {
      const program = SparseMap.get(draft.programs, event.program);
      if (program === undefined) return;
      draft.programs = SparseMap.set<Program>(draft.programs, token, event.program, undefined);
      draft.programsByChunk = dropChunk(draft.programsByChunk, token, program);
      if (!Word.isZero(program.pointer))
        draft.programsByPointer = drop(
          draft.programsByPointer,
          token,
          pointerPage(program.pointer),
          event.program,
        );
      return;
    }
  }
};
