import { expect } from 'chai';

import { Address, pageNumber } from '../../../core/value/address.js';
import { parsePackHex } from '../../../traces/capture/packHex.js';

const START = 'ffffffffc0000000';
const page = (n: number) => pageNumber((Address.parse(START) as Address).page + n);
const at = (offset: number): string =>
  Address.toText(Address.add(Address.parse(START) as Address, offset)).slice(2);
const row = (byte: string, length = 16): string => Array(length).fill(byte).join(' ');
const area = (bytes: number): string =>
  `# area ${START}-${at(bytes)} ${bytes} bpf_prog_pack_alloc+0x164/0x2d0 pages=1 vmalloc`;

describe('pack.hex', () => {
  it('repeats the row above * up to the next address', () => {
    const bytes = parsePackHex(
      [area(0x3000), `${at(0)}  ${row('40')}`, `${at(16)}  ${row('cc')}`, '*', at(0x2000)].join('\n'),
      'pack.hex',
    );
    expect(bytes.problems).to.deep.equal([]);
    expect([...bytes.pages()]).to.deep.equal([page(0), page(1)]);
    expect(bytes.page(page(0))?.slice(14, 18)).to.deep.equal(Uint8Array.of(0x40, 0x40, 0xcc, 0xcc));
    expect(bytes.page(page(1))?.every((b) => b === 0xcc)).to.equal(true);
    expect(bytes.notDumped.map((r) => [Address.toText(r.start), Address.toText(r.end)])).to.deep.equal([
      ['0xffffffffc0002000', '0xffffffffc0003000'],
    ]);
  });

  it('keeps 4 MiB of one byte as one page', () => {
    const bytes = parsePackHex(
      [area(0x401000), `${at(0)}  ${row('cc')}`, '*', at(0x400000)].join('\n'),
      'pack.hex',
    );
    expect([...bytes.pages()].length).to.equal(1024);
    expect(new Set([...bytes.pages()].map((p) => bytes.page(p))).size).to.equal(1);
  });

  it('is not impressed by an area of a tebibyte', () => {
    const text = [
      '# area 0000000000000000-0000010000000000 1 x',
      `0000000000000000  ${row('cc')}`,
      '*',
      '0000010000000000',
    ];
    const bytes = parsePackHex(text.join('\n'), 'pack.hex');
    expect(bytes.page(pageNumber(0xfffffff))?.[7]).to.equal(0xcc);
    expect(bytes.page(pageNumber(0x10000000))).to.equal(null);
  });

  it('keeps equal pages once, wherever they lie', () => {
    const other = '# area ffffffffc0100000-ffffffffc0102000 8192 x';
    const bytes = parsePackHex(
      [
        area(0x2000),
        `${at(0)}  ${row('01')}`,
        '*',
        at(0x1000),
        other,
        `ffffffffc0100000  ${row('01')}`,
        '*',
        'ffffffffc0101000',
      ].join('\n'),
      'pack.hex',
    );
    expect(bytes.page(page(0))).to.equal(bytes.page(page(0x100)));
  });

  it('tells a page that was left out in part from one that was dumped', () => {
    const bytes = parsePackHex(
      [
        area(0x3000),
        `${at(0)}  ${row('01')}`,
        `${at(16)}  ... 4112 bytes, crc32 1a845191`,
        `${at(0x1020)}  ${row('02')}`,
        '*',
        at(0x2000),
      ].join('\n'),
      'pack.hex',
    );
    expect(bytes.problems).to.deep.equal([]);
    expect([...bytes.pages()]).to.deep.equal([]);
    expect(bytes.partialPages()).to.deep.equal([page(0), page(1)]);
    expect(bytes.part(page(0))?.known).to.deep.equal([{ from: 0, to: 16 }]);
    expect(bytes.part(page(1))?.known).to.deep.equal([{ from: 0x20, to: 4096 }]);
    expect(bytes.omitted.map((r) => [Address.toText(r.start), Address.toText(r.end), r.crc32])).to.deep.equal(
      [['0xffffffffc0000010', '0xffffffffc0001020', 0x1a845191]],
    );
    const start = Address.parse(START) as Address;
    expect(bytes.read(Address.add(start, 12), 4)).to.deep.equal(Uint8Array.of(1, 1, 1, 1));
    expect(bytes.read(Address.add(start, 12), 5)).to.equal(null);
    expect(bytes.read(Address.add(start, 0x1ffe), 2)).to.deep.equal(Uint8Array.of(2, 2));
    expect(bytes.read(Address.add(start, 0x1ffe), 3)).to.equal(null);
  });

  it('reads short rows, and areas in any order', () => {
    const bytes = parsePackHex(
      [
        area(0x2000),
        `${at(0)}  ${row('07', 5)}`,
        at(5),
        '# area ffffffff00000000-ffffffff00002000 8192 x',
        `ffffffff00000000  ${row('08')}`,
        '*',
        'ffffffff00001000',
      ].join('\r\n'),
      'pack.hex',
    );
    expect(bytes.problems).to.deep.equal([]);
    expect(bytes.read(Address.parse(START) as Address, 5)).to.deep.equal(new Uint8Array(5).fill(7));
    expect(bytes.notDumped.length).to.equal(2);
    expect([...bytes.pages()]).to.deep.equal([(Address.parse('ffffffff00000000') as Address).page]);
  });

  const broken: readonly (readonly [what: string, lines: readonly string[], problem: string])[] = [
    ['a line that is none', [area(0x2000), 'garbage'], 'pack.hex:2: not a row of pack.hex: "garbage"'],
    ['a row outside an area', [`${at(0)}  ${row('00')}`], 'pack.hex:1: a row outside any area'],
    ['* without a row', [area(0x2000), '*'], "pack.hex:2: '*' does not follow a row"],
    [
      'an area that ends in *',
      [area(0x2000), `${at(0)}  ${row('00')}`, '*'],
      "pack.hex:3: the area ends in '*'",
    ],
    [
      'a step back',
      [area(0x2000), `${at(16)}  ${row('00')}`, `${at(0)}  ${row('00')}`],
      'pack.hex:3: the row lies before',
    ],
    [
      'a row beyond its area',
      [area(0x2000), at(0x3000)],
      'pack.hex:2: the row lies before the one above or outside',
    ],
    ['a hole', [area(0x2000), `${at(16)}  ${row('00')}`], 'pack.hex:2: bytes are missing before this row'],
    [
      'an uneven repeat',
      [area(0x2000), `${at(0)}  ${row('00')}`, '*', at(17)],
      "pack.hex:4: '*' is not a whole number of rows",
    ],
    ['an area twice', [area(0x2000), area(0x2000)], 'pack.hex:2: the area overlaps an earlier one'],
    ['a header that is none', ['# area nowhere'], 'pack.hex:1: not an area header'],
  ];
  for (const [what, lines, problem] of broken) {
    it(`names ${what} by its line`, () => {
      const bytes = parsePackHex(lines.join('\n'), 'pack.hex');
      expect(bytes.problems.join('\n')).to.include(problem);
    });
  }

  it('counts problems beyond the first twenty', () => {
    const bytes = parsePackHex(Array(1000).fill('garbage').join('\n'), 'pack.hex');
    expect(bytes.problems.length).to.equal(21);
    expect(bytes.problems.at(-1)).to.equal('pack.hex: 980 more lines of this kind');
  });

  it('says which bytes a hole lost', () => {
    const bytes = parsePackHex([area(0x2000), `${at(0x1000)}  ${row('00')}`].join('\n'), 'pack.hex');
    expect(bytes.notDumped.map((r) => Address.toText(r.start))).to.deep.equal([
      '0xffffffffc0000000',
      '0xffffffffc0001010',
    ]);
  });
});
