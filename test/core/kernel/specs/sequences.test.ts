/**
 * kernel-model.md §2.9: what a load and a free do, in order, on each kernel. The strings are those of the table; only the structs (KZ, KF) and the
 * stores of the JIT into its buffer are left out, and the trial allocation of the first load of 5.18 stands where it happens.
 */
import { expect } from 'chai';
import { Scene } from '../../../models/scene.js';

const SMALL = 396; // proglen; 448 bytes of chunks, one page where there are no packs
const LARGE = 2_597_024; // 2,597,056 bytes of chunks, 2,600,960 of pages

interface Sequences {
  /** The very first load. */
  readonly first: string;
  /** (a) room in a pack. */
  readonly room: string;
  /** (b) no room in any pack. */
  readonly full: string;
  /** (c) larger than a pack, and its free. */
  readonly larger: string;
  readonly largerFreed: string;
  /** (d) one of several is freed, (e) the last one of a pack. */
  readonly freed: string;
  readonly last: string;
}

const TABLE: Readonly<Record<string, Sequences>> = {
  '5.18-rc3': {
    first: "CH(448) { VA(2097152:2M) VF' VA(2097152:2M) L+ FL RO(512) X(512) B+ } KV CP(448) PUB",
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(2097152) { VA(2097152:2M) L+ FL RO(512) X(512) B+ } KV CP(2097152) PUB',
    larger: 'CH(2597056) { VA(2600960:2M) FL RO(635) X(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { B- } UC(448)',
    last: 'UNP { B- L- VF } UC(448)',
  },
  '5.18-rc3-packv2': {
    first: "CH(448) { VA(2097152:2M) VF' VA(2097152:2M) FILL L+ FL RO(512) X(512) B+ } KV CP(448) PUB",
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(2097152) { VA(2097152:2M) FILL L+ FL RO(512) X(512) B+ } KV CP(2097152) PUB',
    larger: 'CH(2597056) { VA(2600960:2M) FILL FL RO(635) X(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { INV(448) B- } UC(448)',
    last: 'UNP { INV(448) B- L- VF } UC(448)',
  },
  '5.18-rc5': {
    first: "CH(448) { VA(2097152) VF' VA(4096) L+ FL RO(1) X(1) B+ } KV CP(448) PUB",
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(4096) { VA(4096) L+ FL RO(1) X(1) B+ } KV CP(4096) PUB',
    larger: 'CH(2597056) { VA(2600960) FL RO(635) X(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { B- } UC(448)',
    last: 'UNP { B- L- VF } UC(448)',
  },
  '5.18-rc5-packv2': {
    first: "CH(448) { VA(2097152) VF' VA(4096) FILL L+ FL RO(1) X(1) B+ } KV CP(448) PUB",
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(4096) { VA(4096) FILL L+ FL RO(1) X(1) B+ } KV CP(4096) PUB',
    larger: 'CH(2597056) { VA(2600960) FILL FL RO(635) X(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { INV(448) B- } UC(448)',
    last: 'UNP { INV(448) B- L- VF } UC(448)',
  },
  '5.18-rc5-packv2-huge': {
    first: "CH(448) { VA(2097152:2M) VF' VA(2097152:2M) FILL L+ RO(512) X(512) B+ } KV CP(448) PUB",
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(2097152) { VA(2097152:2M) FILL L+ RO(512) X(512) B+ } KV CP(2097152) PUB',
    larger: 'CH(2597056) { VA(2600960:2M) FILL RO(635) X(635) } KV CP(2597056) PUB',
    largerFreed: "UNP { NX(634) RW(634) VF' } UC(2597056)",
    freed: 'UNP { INV(448) B- } UC(448)',
    last: "UNP { INV(448) B- L- NX(512) RW(512) VF' } UC(448)",
  },
  '6.1': {
    first: 'CH(448) { VA+FL(2097152) FILL L+ RO(512) X(512) B+ } KV CP(448) PUB',
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(2097152) { VA+FL(2097152) FILL L+ RO(512) X(512) B+ } KV CP(2097152) PUB',
    larger: 'CH(2597056) { VA+FL(2600960) FILL RO(635) X(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { INV(448) B- } UC(448)',
    last: 'UNP { INV(448) B- L- VF } UC(448)',
  },
  '6.12': {
    first: 'CH(448) { VA+FL(2097152) FILL ROX(512) L+ B+ } KV CP(448) PUB',
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(2097152) { VA+FL(2097152) FILL ROX(512) L+ B+ } KV CP(2097152) PUB',
    larger: 'CH(2597056) { VA+FL(2600960) FILL ROX(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { INV(448) B- } UC(448)',
    last: 'UNP { INV(448) B- L- VF } UC(448)',
  },
  '7.2': {
    // The first area lies at a 2M boundary on a whole block: merged. The others do not.
    first: 'CH(448) { VA+FL(2097152) FILL ROX(512) COL L+ B+ } KV CP(448) PUB',
    room: 'CH(448) { B+ } KV CP(448) PUB',
    full: 'CH(2097152) { VA+FL(2097152) FILL ROX(512) L+ B+ } KV CP(2097152) PUB',
    larger: 'CH(2597056) { VA+FL(2600960) FILL ROX(635) } KV CP(2597056) PUB',
    largerFreed: 'UNP { VF } UC(2597056)',
    freed: 'UNP { INV(448) B- } UC(448)',
    last: 'UNP { INV(448) B- L- VF } UC(448)',
  },
};

describe('5.10 gives each program an area of its own', () => {
  const scene = new Scene('5.10');
  it('loads: charges pages, fills and writes while the area is writable, then protects it', () => {
    scene.load(SMALL);
    expect(scene.story).to.equal('CH(4096) VA(4096) FILL ST FL RO(1) X(1) PUB');
  });

  it('does the same for a program of 635 pages', () => {
    const large = scene.load(2_600_000);
    expect(scene.story).to.equal('CH(2600960) VA(2600960) FILL ST FL RO(635) X(635) PUB');
    scene.free(large);
    expect(scene.story).to.equal('UNP VF UC(2600960)');
  });

  it('frees: the area goes as it is, nothing is invalidated', () => {
    scene.free(scene.load(SMALL));
    expect(scene.story).to.equal('UNP VF UC(4096)');
  });
});

for (const [kernel, expected] of Object.entries(TABLE))
  describe(`${kernel}: what a load and a free do, in order`, () => {
    const page = kernel.startsWith('5.18-rc5') && !kernel.endsWith('huge');
    const given = (): Scene => new Scene(kernel);

    it('the first program makes a pack', () => {
      const scene = given();
      scene.load(SMALL);
      expect(scene.story).to.equal(expected.first);
    });

    it('a program for which a pack has room takes chunks of it', () => {
      const scene = given();
      scene.load(SMALL);
      scene.load(SMALL);
      expect(scene.story).to.equal(expected.room);
    });

    it('a program for which no pack has room makes another one', () => {
      const scene = given();
      scene.load(SMALL);
      scene.load((page ? 4096 : 2_097_152) - 24);
      expect(scene.story).to.equal(expected.full);
    });

    it('a program larger than a pack gets an area of its own, and gives it back without invalidation', () => {
      const scene = given();
      scene.load(SMALL);
      const large = scene.load(LARGE);
      expect(scene.story).to.equal(expected.larger);
      scene.free(large);
      expect(scene.story).to.equal(expected.largerFreed);
    });

    it('one of two programs is freed', () => {
      const scene = given();
      scene.load(SMALL);
      scene.free(scene.load(SMALL));
      expect(scene.story).to.equal(expected.freed);
    });

    it('the last program of a pack is freed, and the pack with it', () => {
      const scene = given();
      scene.free(scene.load(SMALL));
      expect(scene.story).to.equal(expected.last);
    });

    it('two nodes: the pack has the size of two', () => {
      const scene = new Scene(kernel, { nodes: 2 });
      scene.load(SMALL);
      const pages = page ? 1 : 1024;
      expect(scene.memory.packs.map((pack) => pack.bytes)).to.deep.equal([pages * 4096]);
      expect(scene.story).to.match(new RegExp(`R(O|OX)\\(${pages}\\)`));
    });
  });
