/**
 * `backing.txt` (5.18 captures): contents of every page that backs, or once backed, the executable area, in blocks of 64
 * bytes, by class. `pattern` is what the workload had written into its own maps (S8).
 *
 *     000007200000 2097152: 32768 blocks of 64 bytes: 768 zero, 0 all 0xcc, 31455 with the pattern, 545 other
 */
import { Address, type PageNumber } from '../../core/value/address.js';
import { eachLine } from './lines.js';
import { quoted, type Problems } from './problems.js';

export interface BackingPage {
  readonly phys: PageNumber;
  readonly bytes: number;
  /** Of 64 bytes each; the next four add up to it. */
  readonly blocks: number;
  readonly zero: number;
  /** All 0xcc. */
  readonly trap: number;
  readonly pattern: number;
  readonly other: number;
}

const LINE =
  /^([0-9a-f]{8,16}) +(\d+): (\d+) blocks of 64 bytes: (\d+) zero, (\d+) all 0xcc, (\d+) with the pattern, (\d+) other$/;

/** Text of a backing.txt, in the order of the file. */
export const parseBacking = (text: string, file: string, problems: Problems): readonly BackingPage[] => {
  const pages: BackingPage[] = [];
  eachLine(text, (line, number) => {
    if (line === '' || line.startsWith('#')) return;
    const m = LINE.exec(line);
    const address = m === null ? null : Address.parse(m[1] ?? '');
    if (m === null || address === null) {
      problems.add(file, number, `not a line of backing.txt: ${quoted(line)}`);
      return;
    }
    const [bytes, blocks, zero, trap, pattern, other] = m.slice(2).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (blocks * 64 !== bytes || zero + trap + pattern + other !== blocks) {
      problems.add(file, number, 'the classes do not add up to the blocks');
    }
    pages.push({ phys: address.page, bytes, blocks, zero, trap, pattern, other });
  });
  return pages;
};
