import { expect } from 'chai';
import { x86_64 } from '../../core/arch/x86_64.js';
import { FLAGS_UNKNOWN, VM_FLUSH_RESET_PERMS } from '../../core/event/areas.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { Memory, nothing } from '../../core/memory/memory.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { Address } from '../../core/value/address.js';
import type { Dump } from '../../traces/capture/dump.js';
import { Problems } from '../../traces/capture/problems.js';
import { parseVmallocinfo } from '../../traces/capture/vmallocinfo.js';
import { givenFacts } from '../../traces/import/given.js';
import { givenEvents } from '../../traces/import/pipeline.js';

const PACK = 'bpf_prog_pack_alloc+0x164/0x2d0 pages=512 vmalloc N0=512';

/** A line of /proc/vmallocinfo; `bytes` without the guard page. */
const line = (start: number, bytes: number, what: string): string =>
  `0xffffffff${start.toString(16)}-0xffffffff${(start + bytes + 4096).toString(16)} ${bytes + 4096} ${what}`;

/** Memory that follows from a first dump: its list of areas, its words (by address), its limit. */
const memoryOf = (
  kernel: string,
  areas: readonly string[],
  {
    words = {},
    limit = 8192,
    absent = [],
    ranges = [],
  }: { words?: Record<number, number>; limit?: number | null; absent?: string[]; ranges?: object[] } = {},
): Memory => {
  const page = (number: number): Uint8Array => {
    const bytes = new Uint8Array(4096).fill(0xcc);
    for (const [at, word] of Object.entries(words))
      if (Math.floor(Number(at) / 4096) === number % 0x100000)
        new DataView(bytes.buffer).setUint32(Number(at) % 4096, word, true);
    return bytes;
  };
  const dump = {
    executableArea: ranges,
    directMap: [],
    formerDirectMap: [],
    notPresent: [],
    areas: parseVmallocinfo(areas.join('\n'), 'vmallocinfo.txt', new Problems()),
    symbols: [],
    vmstat: {},
    jitLimit: limit,
    absent,
    bytes: { page },
  } as unknown as Dump;
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(kernel);
  return evolveAll({ ...nothing }, givenEvents(givenFacts(dump, x86_64, profile)));
};

const areaAt = (memory: Memory, start: number): ReturnType<typeof Memory.areaAt> =>
  Memory.areaAt(memory, Address.fromWords(0xffffffff, start).page);

describe('what the first dump says', () => {
  it('without page tables: how the areas are mapped is unknown', () => {
    const pack = [line(0xc0000000, 0x200000, PACK)];
    expect(memoryOf('6.1', pack, { absent: ['pagetable.txt'] }).unknown).to.deep.equal([
      {
        page: Address.fromWords(0xffffffff, 0xc0000000).page,
        pages: 0x201,
        why: 'the dump at the start has no page tables',
        seq: 0,
      },
    ]);
    expect(memoryOf('6.1', pack).unknown).to.deep.equal([]);
  });

  it('of an area that was freed and is not purged: its addresses are taken', () => {
    const memory = memoryOf('6.1', [line(0xc0000000, 0x1000, 'unpurged vm_area')]);
    expect(areaAt(memory, 0xc0000000)).to.include({ state: 'lazy', pages: 2 });
  });

  it('of the flags of areas: what follows from the kernel and the caller, no more', () => {
    const areas = [
      line(0xc0000000, 0x1000, 'create_trampoline+0x7c/0x220 pages=1 vmalloc'),
      line(0xc0200000, 0x200000, PACK),
    ];
    const flags = (kernel: string): unknown[] =>
      [0xc0000000, 0xc0200000].map((start) => areaAt(memoryOf(kernel, areas), start)?.flags);
    expect(flags('5.18-rc3')).to.deep.equal([FLAGS_UNKNOWN, VM_FLUSH_RESET_PERMS]);
    expect(flags('5.18-rc5-packv2-huge')).to.deep.equal([FLAGS_UNKNOWN, 0]);
    expect(flags('6.1')).to.deep.equal([VM_FLUSH_RESET_PERMS, VM_FLUSH_RESET_PERMS]);
    expect(flags('7.2')).to.deep.equal([FLAGS_UNKNOWN, VM_FLUSH_RESET_PERMS]);
  });

  for (const [kernel, pack] of [
    ['6.1', 0x200000],
    ['5.18-rc3', 0x200000],
    ['5.18-rc5', 0x1000],
  ] as const)
    it(`of an image larger than a pack: an area that is none, charged as its header says (${kernel})`, () => {
      const large = kernel === '5.18-rc3' ? 0x400000 : 0x27b000;
      const areas = [line(0xc0000000, pack, PACK), line(0xc0600000, large, PACK)];
      const trap = 0xcccccccc;
      const words = { 0xc0000000: 128, 0xc0000004: trap, 0xc0600000: 2_597_056, 0xc0600004: trap };
      const memory = memoryOf(kernel, areas, { words });
      expect(memory.packs.map(({ bytes }) => bytes)).to.deep.equal([pack]);
      const sure = kernel === '6.1';
      expect(memory.charged).to.equal(sure ? 128 + 2_597_056 : null);
      expect(areaAt(memory, 0xc0600000)?.state).to.equal('live');
    });

  it('of the limit, when its file is missing: nothing; the charge is that of the chunks', () => {
    const areas = [line(0xc0000000, 0x200000, PACK)];
    const words = { 0xc0000000: 128, 0xc0000004: 0xcccccccc };
    const memory = memoryOf('6.1', areas, { words, limit: null, absent: ['bpf_jit_limit.txt'] });
    expect([memory.limit, memory.charged]).to.deep.equal([null, 128]);
    const none = memoryOf('6.1', areas, { limit: null, absent: ['bpf_jit_limit.txt', 'vmallocinfo.txt'] });
    expect([none.limit, none.charged]).to.deep.equal([null, null]);
  });

  it('of the charge, when a return probe hides who has an executable area: nothing', () => {
    const start = Address.fromWords(0xffffffff, 0xc0000000);
    const range = {
      start,
      end: Address.add(start, 4096),
      present: true,
      executable: true,
      leaf: 4096,
      phys: null,
    };
    const areas = [line(0xc0000000, 0x200000, 'arch_rethook_trampoline+0x0/0x60 pages=512 vmalloc')];
    expect(memoryOf('6.1', areas, { ranges: [range] }).charged).to.equal(null);
    expect(memoryOf('6.1', areas, { ranges: [{ ...range, executable: false }] }).charged).to.equal(0);
  });
});
