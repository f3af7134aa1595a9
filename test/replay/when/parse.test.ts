import { expect } from 'chai';
import { nothing } from '../../../core/memory/memory.js';
import { evaluate, type Surroundings } from '../../../replay/when/evaluate.js';
import { parseExpression } from '../../../replay/when/parse.js';
import { valueText, type Value } from '../../../replay/when/value.js';
import { must } from '../../store/given.js';

const NOWHERE: Surroundings = { complete: true, programs: new Map(), rules: new Map() };

const valueOf = (text: string): Value => evaluate(must(parseExpression(text)), nothing, NOWHERE);

describe('the language of predicates', () => {
  for (const [text, value] of [
    ['1 + 2 * 3 == 7', true],
    ['(1 + 2) * 3 == 9', true],
    ['10 - 3 - 2 == 5', true],
    ['true || false && false', true],
    ['!(true && false) && !false', true],
    ['-1 < 0 && 2 >= 2 && 3 != 4', true],
    ['0xffffffffffffffff - 0xfffffffffffffffe == 1', true],
    ['9007199254740993 == 9007199254740992', false],
    ['"a" == "a"', true],
    ['page(0x1000).x', false],
    ['page(0x1000).phys == 0', null],
    ['page(0x1000).phys == 0 && false', false],
    ['page(0x1000).phys == 0 || true', true],
    ['!(page(0x1000).phys == 0)', null],
    ['limit > 0', null],
    ['area(0x1000).state == "none"', true],
    ['pack(0x1000).exists', false],
    ['symbol("nothing")', false],
    ['programs + packs == 0 && level2_splits == 0', true],
  ] as const)
    it(`says ${valueText(value)} of ${text} where nothing is known`, () => {
      expect(valueOf(text)).to.equal(value);
    });

  for (const [text, column, what] of [
    ['page(0x1000).q', 14, 'there is no property q'],
    ['page(1000).x', 6, 'an address is missing'],
    ['1 + 2', 1, 'this is a number, not true or false'],
    ['1 == "a"', 3, 'a number is never equal to a text'],
    ['true && 1', 9, 'this is a number; here stands a truth value'],
    ['pages > 3', 1, 'pages is not known'],
    ['page(0x1000).x &&', 18, 'something is missing at the end'],
    ['(true', 6, '")" is missing at the end'],
    ['true false', 6, '"false" does not belong here'],
    ['1 < 2 < 3', 7, 'comparisons cannot be chained'],
    ['prog(p1).state == "live"', 6, 'a name in quotes is missing'],
    ['true # now', 6, '"#" has no meaning here'],
    ['symbol("a', 8, 'this text has no end'],
    ['0x1ffffffffffffffff == 1', 1, '0x1ffffffffffffffff has more than 64 bits'],
    [`${'!'.repeat(300)}true`, 201, 'this is nested too deeply'],
    ['', 1, 'something is missing at the end'],
  ] as const)
    it(`points at column ${column} of ${text.slice(0, 30)}`, () => {
      const read = parseExpression(text);
      if (read.ok) throw new Error('it was read');
      expect(read.error.code).to.equal('bad-expression');
      expect(read.error.where).to.match(new RegExp(`^column ${column} of `));
      expect(read.error.what).to.equal(what);
    });
});
