import { expect } from 'chai';

import { Address } from '../../../core/value/address.js';
import { parseBacking } from '../../../traces/capture/backing.js';
import { parseJitLimit, parseVmstat } from '../../../traces/capture/counters.js';
import { parseKallsyms } from '../../../traces/capture/kallsyms.js';
import { parsePageTable } from '../../../traces/capture/pagetable.js';
import { Problems } from '../../../traces/capture/problems.js';
import { parseInfoMem, parseTlb } from '../../../traces/capture/tlb.js';
import { parseVmallocinfo } from '../../../traces/capture/vmallocinfo.js';

/** Parses and hands back the value beside the problems. */
const parse = <T>(
  parser: (text: string, file: string, problems: Problems) => T,
  ...lines: string[]
): [T, readonly string[]] => {
  const problems = new Problems();
  const value = parser(lines.join('\n') + '\n', 'f', problems);
  return [value, problems.list()];
};

describe('pagetable.txt', () => {
  it('gives each range its frame, leaf and flags', () => {
    const [dump, problems] = parse(
      parsePageTable,
      '# walked by the host; flags: P present, W writable, U user, X executable, G global, A accessed, D dirty',
      '# executable area',
      'ffffffffa0600000-ffffffffa0800000 pa=000007200000    2M P--XGAD',
      'c008000000020000-c008000000030000 pa=0000033f0000   64K PW--RA-',
      '# direct map of these pages',
      '0000000001ac5000-0000000001ac7000 pa=000001ac5000    4K P---',
      '# direct map, entries that are not present',
      'ffff888007200000-ffff888007201000    4K ----GAD',
      '# direct map of pages that backed the executable area at an earlier phase',
      'ffff888040000000-ffff888080000000 pa=000040000000    1G PW--GAD--',
    );
    expect(problems).to.deep.equal([]);
    const [huge, power] = dump.executableArea;
    expect(huge).to.deep.include({
      phys: 0x7200,
      leaf: 2 << 20,
      present: true,
      writable: false,
      executable: true,
      dirty: true,
    });
    expect(Address.toText(huge?.end ?? Address.zero)).to.equal('0xffffffffa0800000');
    expect(power).to.deep.include({
      leaf: 65536,
      writable: true,
      executable: false,
      dirty: false,
      accessed: true,
    });
    expect(dump.directMap[0]).to.deep.include({ accessed: false, dirty: false, leaf: 4096 });
    expect(dump.notPresent[0]).to.deep.include({ present: false, phys: null });
    expect(dump.formerDirectMap[0]).to.deep.include({ leaf: 1 << 30, flags: 'PW--GAD--' });
  });

  it('names what it does not understand', () => {
    const [dump, problems] = parse(
      parsePageTable,
      'ffffffffa0600000-ffffffffa0800000 pa=000007200000    2M P--XGAD',
      '# executable area',
      'ffffffffa0600000-ffffffffa0800000 pa=000007200000    2M P--XZAD',
      'ffffffffa0600000-ffffffffa0500000 pa=000007200000    2M P--XGAD',
      'ffffffffa0600000-ffffffffa0601000 pa=000007200000    2M P--XGAD',
      '# something else',
      'ffffffffa0600000-ffffffffa0800000 pa=000007200000    2M P--XGAD',
    );
    expect(dump.executableArea.length).to.equal(2);
    expect(problems.map((p) => p.slice(0, 30))).to.deep.equal([
      'f:1: a range outside any known',
      'f:3: unknown flag in "P--XZAD"',
      'f:4: not a page-table range: "',
      'f:5: not a whole number of lea',
      'f:6: unknown section "# someth',
      'f:7: a range outside any known',
    ]);
  });
});

describe('vmallocinfo.txt', () => {
  it('tells live areas from lazily freed ones', () => {
    const [areas, problems] = parse(
      parseVmallocinfo,
      '0xffffffffc0000000-0xffffffffc0201000 2101248 bpf_prog_pack_alloc+0x164/0x2d0 pages=512 vmalloc N0=512',
      '0xffffffffa0600000-0xffffffffa0801000 2101248 unpurged vm_area',
      '0xffffffffc0601000-0xffffffffc087d000 2605056 arch_rethook_trampoline+0x0/0x60 pages=635 vmalloc vpages N0=635',
      '0xffffffffc0900000-0xffffffffc0902000    8192 load_module+0x123/0x456 [nf tables] pages=1 vmalloc',
      '0xffffc90000000000-0xffffc90000002000    8192 0x0 phys=0x00000000fed00000 ioremap',
    );
    expect(problems).to.deep.equal([]);
    expect(areas.map((a) => [a.caller, a.pages, a.lazy])).to.deep.equal([
      ['bpf_prog_pack_alloc+0x164/0x2d0', 512, false],
      ['', null, true],
      ['arch_rethook_trampoline+0x0/0x60', 635, false],
      ['load_module+0x123/0x456 [nf tables]', 1, false],
      ['0x0', null, false],
    ]);
  });

  it('names what it does not understand', () => {
    const [areas, problems] = parse(
      parseVmallocinfo,
      '0xffffffffc0000000-0xffffffffc0201000 4096 x+0x1/0x2 pages=1 vmalloc shiny',
      '0x(____ptrval____)-0x(____ptrval____) 8192 x',
    );
    expect(areas.length).to.equal(1);
    expect(problems).to.deep.equal([
      'f:1: size 4096 is not end minus start',
      'f:1: unknown word "shiny"',
      'f:2: not a vmallocinfo line: "0x(____ptrval____)-0x(____ptrval____) 8192 x"',
    ]);
  });
});

describe('the other files of a dump', () => {
  it('kallsyms.txt gives symbols with their module', () => {
    const [symbols, problems] = parse(
      parseKallsyms,
      'ffffffffc000065c t bpf_prog_db73f85724b15e57_p1_23\t[bpf]',
      'ffffffff81000000 T _text',
      'nonsense',
    );
    expect(symbols.map((s) => [s.name, s.module])).to.deep.equal([
      ['bpf_prog_db73f85724b15e57_p1_23', 'bpf'],
      ['_text', null],
    ]);
    expect(problems).to.deep.equal(['f:3: not a kallsyms line: "nonsense"']);
  });

  it('vmstat.txt and bpf_jit_limit.txt give numbers', () => {
    expect(parse(parseVmstat, 'direct_map_level2_splits 4', 'x y')).to.deep.equal([
      { direct_map_level2_splits: 4 },
      ['f:2: not a vmstat line: "x y"'],
    ]);
    expect(parse(parseJitLimit, '281474976710656')).to.deep.equal([281474976710656, []]);
    expect(parse(parseJitLimit, '')).to.deep.equal([null, []]);
    expect(parse(parseJitLimit, 'much')).to.deep.equal([null, ['f:1: not a number: "much"']]);
  });

  it('backing.txt gives classes that add up', () => {
    const line =
      '000007200000 2097152: 32768 blocks of 64 bytes: 768 zero, 0 all 0xcc, 31455 with the pattern, 545 other';
    expect(parse(parseBacking, '# comment', line)).to.deep.equal([
      [{ phys: 0x7200, bytes: 2097152, blocks: 32768, zero: 768, trap: 0, pattern: 31455, other: 545 }],
      [],
    ]);
    expect(parse(parseBacking, line.replace('545', '546'))[1]).to.deep.equal([
      'f:1: the classes do not add up to the blocks',
    ]);
    expect(parse(parseBacking, 'x')[1].length).to.equal(1);
  });

  it('tlb.txt and mem.txt give what QEMU said', () => {
    const [leaves, problems] = parse(
      parseTlb,
      '# legend',
      'ffffffffa0600000: 0000000007200000 -GPDA----',
      'ffffffffa0600000: x',
    );
    expect(leaves).to.deep.equal([
      {
        page: 0xffffffffa0600,
        phys: 0x7200,
        noExecute: false,
        writable: false,
        large: true,
        dirty: true,
        accessed: true,
        flags: '-GPDA----',
      },
    ]);
    expect(problems.length).to.equal(1);
    const [ranges, odd] = parse(
      parseInfoMem,
      'ffffffffc0038000-ffffffffc0039000 0000000000001000 -rw',
      'ffffffffc0038000-ffffffffc0039000 0000000000002000 -r-',
    );
    expect(ranges.map((r) => r.writable)).to.deep.equal([true, false]);
    expect(odd).to.deep.equal(['f:2: size is not end minus start']);
  });
});
