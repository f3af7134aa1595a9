import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { errandSegment } from './appender.js';
import { newFile, newFolder, open } from './files.js';
import { must, newTrace, plain, readAll } from './given.js';

/** A log whose write-ahead log holds everything, as after a power failure: its files, and where each commit ended. */
function unfinished(): { readonly file: string; readonly wal: Buffer; readonly ends: readonly number[] } {
  const file = newFile();
  const log = newTrace(open(file));
  const ends = Array.from({ length: 25 }, (_, i) => {
    must(log.append(errandSegment(i)));
    return statSync(`${file}-wal`).size;
  });
  const copy = join(newFolder(), 'copy.db');
  copyFileSync(file, copy);
  return { file: copy, wal: readFileSync(`${file}-wal`), ends };
}

/** Opens the log with this write-ahead log; how many segments it has. They must be the first ones, whole. */
function recovered(file: string, wal: Uint8Array): number {
  const copy = join(newFolder(), 'log.db');
  copyFileSync(file, copy);
  writeFileSync(`${copy}-wal`, wal);
  const store = open(copy);
  const log = newTrace(store);
  const n = log.info.segments;
  expect(readAll(log).map(plain)).to.deep.equal(Array.from({ length: n }, (_, i) => plain(errandSegment(i))));
  expect(must(store.verify('a'))).to.include({ intact: true, segments: n });
  must(log.append(errandSegment(n)));
  store.close();
  return n;
}

describe('A torn write', function () {
  this.timeout(60_000);

  it('loses the commit it belongs to, never one acknowledged before', () => {
    const { file, wal, ends } = unfinished();
    fc.assert(
      fc.property(fc.nat(wal.length), fc.constantFrom('cut', 'zeroes', 'garbage'), (at, tail) => {
        const rest = wal.length - at;
        const torn = Buffer.concat([
          wal.subarray(0, at),
          tail === 'cut' ? Buffer.alloc(0) : Buffer.alloc(rest, tail === 'zeroes' ? 0 : 'garbage'),
        ]);
        const acknowledged = ends.filter((end) => end <= at).length;
        expect(recovered(file, torn)).to.be.within(acknowledged, acknowledged + 1);
      }),
      {
        numRuns: 60,
        examples: [
          [wal.length, 'cut'],
          [0, 'cut'],
          [ends[3] ?? 0, 'garbage'],
          [(ends[3] ?? 0) - 1, 'zeroes'],
        ],
      },
    );
  });

  it('with a bit flipped in it leaves whole commits only', () => {
    const { file, wal } = unfinished();
    fc.assert(
      fc.property(fc.nat(wal.length * 8 - 1), (bit) => {
        const damaged = Buffer.from(wal);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(recovered(file, damaged)).to.be.within(0, 25);
      }),
      { numRuns: 40 },
    );
  });
});
