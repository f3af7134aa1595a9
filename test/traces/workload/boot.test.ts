import { expect } from 'chai';

import { parsePackHex } from '../../../traces/capture/packHex.js';
import { Problems } from '../../../traces/capture/problems.js';
import { parseVmallocinfo } from '../../../traces/capture/vmallocinfo.js';
import type { Dump } from '../../../traces/capture/dump.js';
import { bootOf } from '../../../traces/workload/boot.js';

const PACK =
  '0xffffffffc0000000-0xffffffffc0201000 2101248 bpf_prog_pack_alloc+0x164/0x2d0 pages=512 vmalloc N0=512';

/** A dump of these areas, with these rows in the first of them. */
const dump = (areas: readonly string[], rows: readonly string[]): Dump => ({
  name: 'start',
  index: 0,
  folder: '',
  executableArea: [],
  directMap: [],
  notPresent: [],
  formerDirectMap: [],
  areas: parseVmallocinfo(areas.join('\n'), 'v', new Problems()),
  symbols: [],
  bytes: parsePackHex(
    ['# area ffffffffc0000000-ffffffffc0201000 2101248 x', ...rows, 'ffffffffc0200000'].join('\n'),
    'p',
  ),
  vmstat: {},
  jitLimit: 1000,
  backing: [],
  tlb: null,
  infoMem: null,
  // Which areas hold code is not told by page tables here: all count.
  absent: ['pagetable.txt'],
  problems: [],
});
const row = (offset: number, bytes: string): string => {
  const filled = [...bytes.split(' '), ...Array<string>(16).fill('cc')].slice(0, 16).join(' ');
  return `ffffffffc0${offset.toString(16).padStart(6, '0')}  ${filled}`;
};
const traps = (offset: number): string[] => [row(offset, 'cc'), '*'];

describe('what is there at boot', () => {
  it('is read from the headers of a pack', () => {
    const boot = bootOf(
      dump([PACK], [row(0, '80 00 00 00'), ...traps(16), row(0x100, '40 00 00 00'), ...traps(0x110)]),
      4096,
    );
    expect(boot.packs).to.deep.equal([
      {
        start: '0xffffffffc0000000',
        bytes: 2 << 20,
        chunks: [
          { offset: 0, bytes: 0x80 },
          { offset: 0x100, bytes: 0x40 },
        ],
      },
    ]);
    expect(boot.jit_charged).to.equal(0xc0);
    expect(boot.jit_limit).to.equal(1000);
    expect(boot.areas).to.deep.equal([
      {
        start: '0xffffffffc0000000',
        end: '0xffffffffc0201000',
        caller: 'bpf_prog_pack_alloc+0x164/0x2d0',
        pages: 512,
      },
    ]);
  });

  it('is unknown where the walk meets something without header, or a length that cannot be', () => {
    for (const header of ['0f 1f 44 00', '41 00 00 00', '00 00 00 7f']) {
      const boot = bootOf(dump([PACK], [row(0, header), ...traps(16)]), 4096);
      expect(boot.packs[0]?.chunks, header).to.equal(null);
      expect(boot.jit_charged, header).to.equal(null);
    }
  });

  it('counts whole pages where there are no packs', () => {
    const area =
      '0xffffffffc0000000-0xffffffffc0004000 16384 bpf_jit_binary_alloc+0x5b/0xe0 pages=3 vmalloc N0=3';
    const boot = bootOf(
      dump([area, area.replace('bpf_jit_binary_alloc', 'create_trampoline')], traps(0)),
      4096,
    );
    expect(boot.packs).to.deep.equal([]);
    expect(boot.jit_charged).to.equal(3 * 4096);
  });

  it('is unknown without vmallocinfo', () => {
    expect(bootOf({ ...dump([], traps(0)), absent: ['vmallocinfo.txt'] }, 4096).jit_charged).to.equal(null);
  });
});
