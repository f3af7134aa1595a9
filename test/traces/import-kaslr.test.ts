import { expect } from 'chai';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { conform } from '../../traces/conform/conform.js';
import { must } from '../store/given.js';
import { imported, newDesk, recordingsOf, type Desk } from './recordings.js';

/** How far the parts of the kernel's address space are moved, as a kernel with KASLR moves them. */
interface Moves {
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

const movedText = (text: string, moves: Moves): string =>
  text.replace(
    ADDRESS,
    (all, digits: string) => all.slice(0, -digits.length) + moved(BigInt(`0x${digits}`), moves).toString(16),
  );

/** Rewrites every address in the files of a folder. */
const moveFolder = (folder: string, moves: Moves): void => {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) moveFolder(path, moves);
    else if (name.endsWith('.gz'))
      writeFileSync(path, gzipSync(movedText(gunzipSync(readFileSync(path)).toString('latin1'), moves)));
    else if (!name.endsWith('.dat'))
      writeFileSync(path, Buffer.from(movedText(readFileSync(path, 'latin1'), moves), 'latin1'));
  }
};

const KERNELS = /^(5\.10-S3|5\.18-rc3-S8|5\.18-rc5-S1|6\.1-S1|6\.1-S3|6\.12-S1|7\.2-S1)$/;
/** Packs of 2M leaves lie at 2M boundaries, wherever the area begins. */
const LARGE = /rc3|7\.2/;

describe('recordings of kernels with other addresses', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  for (const [index, folder] of recordingsOf(KERNELS).entries())
    it(`are followed and conform: ${basename(folder)}`, async () => {
      const copy = join(desk.folder, basename(folder));
      cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('trace.dat') });
      moveFolder(copy, {
        modules: LARGE.test(folder) ? 512 : 37 + index * 61,
        text: 0x0a600000n,
        direct: 0x1240000000n,
        vmalloc: 0x3c0000000n,
        vmemmap: 0x740000000n,
      });
      const [store, plain] = [desk.store(`moved${index}`), desk.store(`plain${index}`)];
      const { report } = await imported(store, copy);
      const { report: usual } = await imported(plain, folder);
      expect(report.calls).to.deep.equal(usual.calls);
      expect(report.divergences).to.equal(0);
      expect(report.root).not.to.equal(usual.root);
      const { moments } = must(conform(store, report.trace, copy));
      expect(moments.length).to.be.greaterThan(0);
      for (const moment of moments) {
        expect(moment.differences).to.deep.equal([]);
        expect(moment.pages_equal + moment.pages_unknown).to.equal(moment.pages_checked);
        expect(moment.executable_unknown).to.equal(0);
      }
    });
});
