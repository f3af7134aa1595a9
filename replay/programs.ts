import { symbolParts } from '../core/history/lives.js';
import { Memory, type Program, type ProgramState } from '../core/memory/memory.js';
import { Address } from '../core/value/address.js';

export { symbolParts };

/** A program as the outputs show it. */
export interface ShownProgram {
  readonly id: number | null;
  readonly name: string | null;
  readonly tag: string | null;
  readonly kind: 'program' | 'function' | 'classic' | 'dispatcher';
  /** First byte of its memory; null for a program older than the log of which only the symbol is known. */
  readonly chunk: string | null;
  /** Bytes. */
  readonly chunk_len: number | null;
  /** Its entry (bpf_func); null while that is not known. */
  readonly start: string | null;
  /** Length of its code in bytes; null while that is not known. */
  readonly len: number | null;
  readonly symbol: boolean;
  readonly state: ProgramState;
}

/** A program whose memory and code are known. */
export interface WholeProgram extends ShownProgram {
  readonly chunk: string;
  readonly chunk_len: number;
  readonly start: string;
  readonly len: number;
}

export const isWhole = (program: ShownProgram): program is WholeProgram =>
  program.chunk !== null && program.chunk_len !== null && program.start !== null && program.len !== null;

const OF_PROGRAMS = /^bpf_(?:prog|dispatcher)_/;

const kindOf = (type: string): ShownProgram['kind'] =>
  type === 'function' || type === 'classic' || type === 'dispatcher' ? type : 'program';

const shown = (program: Program): ShownProgram => ({
  id: program.id,
  ...symbolParts(program.name),
  kind: kindOf(program.type),
  chunk: Address.toText(program.chunk),
  chunk_len: program.bytes,
  start: program.start === null ? null : Address.toText(program.start),
  len: program.length,
  symbol: program.symbols > 0,
  state: program.state,
});

/** All programs, by address. Programs older than the log show by their symbol alone. */
export const programs = (memory: Memory): readonly ShownProgram[] => {
  const all = Array.from(Memory.programs(memory), (program) => ({ at: program.chunk, as: shown(program) }));
  for (const symbol of Memory.symbols(memory)) {
    if (!OF_PROGRAMS.test(symbol.name) || Memory.program(memory, symbol.program) !== null) continue;
    if (Memory.programAt(memory, symbol.start) !== null) continue;
    const length = Address.minus(symbol.end, symbol.start);
    all.push({
      at: symbol.start,
      as: {
        id: null,
        ...symbolParts(symbol.name),
        kind: symbol.name.startsWith('bpf_dispatcher_') ? 'dispatcher' : 'program',
        chunk: null,
        chunk_len: null,
        start: Address.toText(symbol.start),
        len: length > 0 ? length : null,
        symbol: true,
        state: 'live',
      },
    });
  }
  return all.sort((a, b) => Address.compare(a.at, b.at)).map(({ as }) => as);
};
