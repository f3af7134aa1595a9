import type { EventOf } from '../event/event.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import type { Draft } from './evolve.js';
import type { KernelSymbol, Program } from './memory.js';
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

const add = (index: Index, token: object, key: number, number: number): Index =>
  SparseMap.set(index, token, key, [...(SparseMap.get(index, key) ?? []), number]);

const drop = (index: Index, token: object, key: number, number: number): Index => {
  const left = (SparseMap.get(index, key) ?? []).filter((n) => n !== number);
  return SparseMap.set(index, token, key, left.length === 0 ? undefined : left);
};

const change = (draft: Draft, token: object, number: number, with_: Partial<Program>): void => {
  const program = SparseMap.get(draft.programs, number);
  if (program !== undefined)
    draft.programs = SparseMap.set(draft.programs, token, number, { ...program, ...with_ });
};

const pointerPage = (pointer: Word): number => Word.toAddress(pointer).page;

const publish = (draft: Draft, token: object, event: EventOf<'published'>): void => {
  const symbol: KernelSymbol = {
    start: event.start,
    end: event.end,
    name: event.name,
    ksym: event.ksym,
    program: event.program,
  };
  const page = event.start.page;
  draft.symbols = SparseMap.set(draft.symbols, token, page, [
    ...(SparseMap.get(draft.symbols, page) ?? []),
    symbol,
  ]);
  const program = SparseMap.get(draft.programs, event.program);
  if (program === undefined) return;
  change(draft, token, event.program, {
    // The main function of a program with functions has two symbols: the later one names the program.
    name: event.name,
    id: event.id === 0 ? program.id : event.id,
    symbols: program.symbols + 1,
    state: 'live',
  });
};

const unpublish = (draft: Draft, token: object, event: EventOf<'unpublished'>): void => {
  const page = event.start.page;
  const list = SparseMap.get(draft.symbols, page) ?? [];
  let at = list.findIndex((s) => Word.equals(s.ksym, event.ksym) && Address.equals(s.start, event.start));
  if (at < 0) at = list.findIndex((s) => s.name === event.name && Address.equals(s.start, event.start));
  const symbol = list[at];
  if (symbol === undefined) return;
  const left = list.toSpliced(at, 1);
  draft.symbols = SparseMap.set(draft.symbols, token, page, left.length === 0 ? undefined : left);
  const program = SparseMap.get(draft.programs, symbol.program);
  if (program === undefined) return;
  change(draft, token, symbol.program, {
    symbols: program.symbols - 1,
    state: program.symbols === 1 ? 'closing' : program.state,
  });
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
      draft.programs = SparseMap.set(draft.programs, token, program.number, program);
      draft.programsByChunk = add(draft.programsByChunk, token, program.chunk.page, program.number);
      if (!Word.isZero(program.pointer))
        draft.programsByPointer = add(
          draft.programsByPointer,
          token,
          pointerPage(program.pointer),
          program.number,
        );
      return;
    }
    case 'program-placed':
      return change(draft, token, event.program, { start: event.start, length: event.length });
    case 'program-finalized': {
      const program = SparseMap.get(draft.programs, event.program);
      if (program !== undefined && program.state === 'allocated')
        change(draft, token, event.program, { state: 'written' });
      return;
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
      change(draft, token, event.program, { pointer: event.pointer });
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
      draft.programsByChunk = drop(draft.programsByChunk, token, program.chunk.page, event.program);
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
