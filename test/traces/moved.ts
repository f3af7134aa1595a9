/** Captures as another boot of the same kernel gives them: other addresses, processes and times. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** How far the parts of the kernel's address space are moved, as a kernel with KASLR moves them. */
export interface Moves {
  /** Module area, in pages: module_load_offset. */
  readonly modules: number;
  readonly text: bigint;
  readonly direct: bigint;
  readonly vmalloc: bigint;
  readonly vmemmap: bigint;
}

const PAGE = 4096n;

const moved = (at: bigint, moves: Moves): bigint => {
  if (at >= 0xffffffffa0000000n && at < 0xffffffffff000000n) return at + BigInt(moves.modules) * PAGE;
  if (at >= 0xffffffff80000000n && at < 0xffffffff95000000n) return at + moves.text;
  if (at >= 0xffff888000000000n && at < 0xffffc88000000000n) return at + moves.direct;
  if (at >= 0xffffc90000000000n && at < 0xffffe90000000000n) return at + moves.vmalloc;
  return at >= 0xffffea0000000000n && at < 0xffffeb0000000000n ? at + moves.vmemmap : at;
};

const ADDRESS = /(?<![0-9a-zA-Z])(?:0x)?(ffff[0-9a-f]{12})(?![0-9a-fA-F])/g;

/** Areas of another architecture, which lie somewhere in its vmalloc range. */
export interface Shift {
  /** Addresses that are moved; the digits are its first group. */
  readonly pattern: RegExp;
  readonly by: bigint;
}

/** All but the ends of the range that areas are asked for in. */
export const SHIFTS: Readonly<Record<string, Shift>> = {
  arm64: {
    pattern: /(?<![0-9a-zA-Z])(?:0x)?(ffff8000(?!08000000|80000000)[0-9a-f]{8})(?![0-9a-fA-F])/g,
    by: 0x7770000n,
  },
  ppc64le: { pattern: /(?<![0-9a-zA-Z])(?:0x)?(c008(?!0{12})[0-9a-f]{12})(?![0-9a-fA-F])/g, by: 0x7770000n },
  s390x: {
    pattern: /(?<![0-9a-zA-Z])(?:0x)?0*(3[7f]f(?!fd0{6}|60{7})[0-9a-f]{8})(?![0-9a-fA-F])/g,
    by: 0x1230000n,
  },
};

const movedText = (text: string, moves: Moves | Shift): string =>
  'pattern' in moves
    ? text.replace(
        moves.pattern,
        (all, digits: string) =>
          all.slice(0, -digits.length) + (BigInt(`0x${digits}`) + moves.by).toString(16),
      )
    : text.replace(
        ADDRESS,
        (all, digits: string) =>
          all.slice(0, -digits.length) + moved(BigInt(`0x${digits}`), moves).toString(16),
      );

/** Rewrites every address in the files of a folder. */
export const moveFolder = (folder: string, moves: Moves | Shift): void => {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) moveFolder(path, moves);
    else if (name.endsWith('.gz'))
      writeFileSync(path, gzipSync(movedText(gunzipSync(readFileSync(path)).toString('latin1'), moves)));
    else if (!name.endsWith('.dat'))
      writeFileSync(path, Buffer.from(movedText(readFileSync(path, 'latin1'), moves), 'latin1'));
  }
};

const TASK = /^( *)(\S+)-(\d+)( +\[\d{3}\] +\S+ +)(\d+)\.(\d{6}):/;

/** A line of a trace of another boot: every process has another number, and all is later. */
export const rebootedLine = (line: string): string =>
  line.replace(
    TASK,
    (_, pad: string, comm: string, pid: string, between: string, seconds: string, rest: string) =>
      `${pad}${comm}-${pid === '0' ? '0' : String(Number(pid) + 1009)}${between}${Number(seconds) + 977}.${rest}:`,
  );
