import { expect } from 'chai';
import * as fc from 'fast-check';

import { parseJson } from '../../traces/json.js';

describe('JSON of a foreign file', () => {
  it('gives its value', () => {
    expect(parseJson('{"a": [1, null]}', 'f')).to.deep.equal({ ok: true, value: { a: [1, null] } });
  });

  const broken: readonly (readonly [text: string, where: string, what: string])[] = [
    ['{\n "a": 1,\n "b": oops\n}', 'f:3', 'value expected at column 7, found "oops\\n}"'],
    ['{\n "a": 1\n "b": 2}', 'f:3', ', or end expected at column 2'],
    ['{"a": 1,}', 'f:1', 'key expected at column 9'],
    ['[1, 2', 'f:1', ', or end expected at column 6, found the end of the file'],
    ['[1,, 2]', 'f:1', 'value expected at column 4'],
    ['{"a" 1}', 'f:1', ': expected at column 6'],
    ['', 'f:1', 'value expected at column 1, found the end of the file'],
    ['{} x', 'f:1', 'nothing more expected at column 4'],
    ['[}', 'f:1', 'value or ] expected at column 2'],
    ['{1', 'f:1', 'key or } expected at column 2'],
    ['"a\nb"', 'f:1', 'value expected at column 1'],
  ];
  for (const [text, where, what] of broken) {
    it(`says where ${JSON.stringify(text)} stops being JSON`, () => {
      const result = parseJson(text, 'f', 'h');
      if (result.ok) throw new Error('parsed');
      expect(result.error).to.include({ code: 'bad-json', where, hint: 'h' });
      expect(result.error.what).to.include(what);
    });
  }

  it('is refused wherever it is cut', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, n) => {
        const cut = text.slice(0, n % (text.length + 1));
        const result = parseJson(cut, 'f');
        expect(result.ok || result.error.where === 'f:1').to.equal(true);
      }),
    );
  });
});
