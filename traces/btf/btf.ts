/**
 * BTF: the types of a kernel as it carries them in /sys/kernel/btf/vmlinux (Documentation/bpf/btf.rst). Only what finds a member of a
 * structure and an argument of a function is read.
 *
 *     header    magic 0xeb9f, version 1, flags, header length; offset and length of the types, then of the strings
 *     type      name, info (kind in bits 24-28, kind_flag in 31, count in 0-15), size or type; then what its kind has
 */
import { fail, ok, type Result } from '../../core/value/failure.js';

const MAGIC = 0xeb9f;
const VERSION = 1;
const HEADER = 24;
const TYPE = 12;

const Kind = Object.freeze({
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  section: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
});

/** Bytes after a type: so many, and so many for each of its `count`. */
const AFTER: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  [Kind.int]: [4, 0],
  [Kind.pointer]: [0, 0],
  [Kind.array]: [12, 0],
  [Kind.struct]: [0, 12],
  [Kind.union]: [0, 12],
  [Kind.enum]: [0, 8],
  [Kind.forward]: [0, 0],
  [Kind.typedef]: [0, 0],
  [Kind.volatile]: [0, 0],
  [Kind.const]: [0, 0],
  [Kind.restrict]: [0, 0],
  [Kind.function]: [0, 0],
  [Kind.prototype]: [0, 8],
  [Kind.variable]: [4, 0],
  [Kind.section]: [0, 12],
  [Kind.float]: [0, 0],
  [Kind.declTag]: [4, 0],
  [Kind.typeTag]: [0, 0],
  [Kind.enum64]: [0, 12],
};

/** Kinds that only say something of another type. */
const TRANSPARENT: ReadonlySet<number> = new Set([
  Kind.typedef,
  Kind.volatile,
  Kind.const,
  Kind.restrict,
  Kind.typeTag,
]);

const DEEPEST = 32;

/** The types of a kernel. */
export interface Btf {
  /** Number of types. */
  readonly types: number;
  /** Offset in bytes of a member, also of one in an unnamed structure or union inside; null: no such structure or member, or a bit field. */
  readonly offsetOf: (struct: string, member: string) => number | null;
  /** Names of a function's arguments; null: no such function. */
  readonly argumentsOf: (fn: string) => readonly string[] | null;
}

const bad = (what: string, where: string): Result<never> =>
  fail('bad-btf', what, where, 'give a copy of /sys/kernel/btf/vmlinux of the kernel that is to be recorded');

/** Reads a file's bytes; `where` names it in failures. */
export const readBtf = (bytes: Uint8Array, where: string): Result<Btf> => {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER) return bad('this is too short for BTF', where);
  const little = data.getUint16(0, true) === MAGIC;
  if (!little && data.getUint16(0, false) !== MAGIC)
    return bad('this is no BTF: its magic number is missing', where);
  const u32 = (at: number): number => data.getUint32(at, little);
  if (bytes[2] !== VERSION) return bad(`BTF of version ${bytes[2]} is not known`, where);
  const begin = u32(4);
  const types = begin + u32(8);
  const typesEnd = types + u32(12);
  const strings = begin + u32(16);
  const stringsEnd = strings + u32(20);
  if (begin < HEADER || typesEnd > bytes.length || stringsEnd > bytes.length)
    return bad('this BTF is cut off', where);

  const text = (offset: number): string => {
    const from = strings + offset;
    if (from >= stringsEnd) return '';
    const end = bytes.indexOf(0, from);
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, (end < 0 ? stringsEnd : end) - from).toString(
      'latin1',
    );
  };
  const kindAt = (at: number): number => (u32(at + 4) >>> 24) & 31;
  const countAt = (at: number): number => u32(at + 4) & 0xffff;

  /** Where each type stands; 0: void. */
  const places: number[] = [0];
  const structs = new Map<string, number>();
  const functions = new Map<string, number>();
  for (let at = types; at < typesEnd;) {
    if (at + TYPE > typesEnd) return bad(`type ${places.length} of this BTF is cut off`, where);
    const kind = kindAt(at);
    const after = AFTER[kind];
    if (after === undefined)
      return bad(`type ${places.length} of this BTF is of the unknown kind ${kind}`, where);
    const end = at + TYPE + after[0] + after[1] * countAt(at);
    if (end > typesEnd) return bad(`type ${places.length} of this BTF is cut off`, where);
    places.push(at);
    if (kind === Kind.struct && !structs.has(text(u32(at)))) structs.set(text(u32(at)), at);
    if (kind === Kind.function) functions.set(text(u32(at)), at);
    at = end;
  }

  /** The type itself, without typedef, const, …; 0: none. */
  const bare = (id: number): number => {
    let at = places[id] ?? 0;
    for (let i = 0; i < DEEPEST && at !== 0 && TRANSPARENT.has(kindAt(at)); i++)
      at = places[u32(at + 8)] ?? 0;
    return at;
  };

  /** Offset of a member in bits; null: not there, or a bit field. */
  const bitsIn = (struct: number, member: string, depth: number): number | null => {
    const hasWidths = u32(struct + 4) >>> 31 === 1;
    for (let i = 0; i < countAt(struct); i++) {
      const at = struct + TYPE + 12 * i;
      const name = text(u32(at));
      const bits = hasWidths ? u32(at + 8) & 0xffffff : u32(at + 8);
      if (name === member) return hasWidths && u32(at + 8) >>> 24 !== 0 ? null : bits;
      const inner = name === '' && depth < DEEPEST ? bare(u32(at + 4)) : 0;
      if (inner === 0 || (kindAt(inner) !== Kind.struct && kindAt(inner) !== Kind.union)) continue;
      const found = bitsIn(inner, member, depth + 1);
      if (found !== null) return bits + found;
    }
    return null;
  };

  return ok({
    types: places.length - 1,
    offsetOf: (struct, member) => {
      const at = structs.get(struct);
      const bits = at === undefined ? null : bitsIn(at, member, 0);
      return bits === null || bits % 8 !== 0 ? null : bits / 8;
    },
    argumentsOf: (fn) => {
      const at = functions.get(fn);
      const prototype = at === undefined ? 0 : bare(u32(at + 8));
      if (prototype === 0 || kindAt(prototype) !== Kind.prototype) return null;
      return Array.from({ length: countAt(prototype) }, (_, i) => text(u32(prototype + TYPE + 8 * i)));
    },
  });
};
