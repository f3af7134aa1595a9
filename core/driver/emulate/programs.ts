import { Memory } from '../../memory/memory.js';
import type { Address } from '../../value/address.js';
import type { Word } from '../../value/words.js';
import type { WorkloadFunction } from '../../workload/workload.js';

/** One function of an emulated program. */
export interface EmulatedFunction {
  readonly index: number;
  readonly spec: WorkloadFunction;
  /** struct bpf_prog * (a clone's once it was blinded). */
  pointer: Word;
  readonly blinded: boolean;
  readonly ksym: Word;
  freed: boolean;
  /** Its memory was asked for and granted. */
  allocated: boolean;
  published: { readonly start: Address; readonly name: string } | null;
}

/** A loaded program, or a classic filter. */
export interface EmulatedProgram {
  readonly label: string;
  readonly name: string;
  readonly tag: string;
  readonly id: number;
  readonly capable: boolean;
  readonly classic: boolean;
  readonly functions: readonly EmulatedFunction[];
  /** The program that the file descriptor names: of its own when there are several functions. */
  readonly main: {
    readonly pointer: Word;
    readonly ksym: Word;
    published: { readonly start: Address; readonly name: string } | null;
  };
}

/** Where the code of a function begins, once it has been compiled. */
export const entryOf = (
  memory: Memory,
  fn: EmulatedFunction,
): { readonly start: Address; readonly length: number } | null => {
  const program = Memory.programByPointer(memory, fn.pointer);
  return program === null || program.start === null || program.length === null
    ? null
    : { start: program.start, length: program.length };
};

/** `bytes` behind the address whose upper half is `hi`: a long emulation needs more than 4 GiB of them. */
const wordAt = (hi: number, bytes: number): Word => ({
  hi: hi + Math.floor(bytes / 0x100000000),
  lo: bytes >>> 0,
});

/** Bytes between the structures of two CPUs. */
const APART = 0x1000000000;

/** Identities of kernel structures: they stand for pointers and mean nothing else. Those of different CPUs lie apart. */
export const pointers = (
  cpu = 0,
): {
  readonly program: () => Word;
  readonly ksym: () => Word;
  readonly buffer: () => Word;
} => {
  let programs = 0;
  let ksyms = 0;
  let buffers = 0;
  return {
    program: () => wordAt(0xffffc900, cpu * APART + 0x5000 + 0x8000 * programs++),
    ksym: () => wordAt(0xffff8880, cpu * APART + 0x30000000 + 0x400 * ksyms++),
    buffer: () => wordAt(0xffff8880, cpu * APART + 0x38000000 + 0x1000 * (buffers++ % 4096)),
  };
};
