import { expect } from 'chai';
import * as v from 'valibot';
import { issueText } from '../../traces/issues.js';

const schema = v.strictObject({
  name: v.string(),
  list: v.array(v.strictObject({ n: v.pipe(v.number(), v.integer('not whole')) })),
});

const textOf = (value: unknown): string => {
  const read = v.safeParse(schema, value);
  if (read.success) throw new Error('it fits');
  return issueText(read.issues);
};

describe('what is wrong with a document', () => {
  it('is said by path: missing, not known, of another kind', () => {
    expect(textOf({ list: [] })).to.equal('name: missing');
    expect(textOf({ name: 'a', list: [], more: 1 })).to.equal('more: there is no such name in the format');
    expect(textOf({ name: 'a', list: [{ n: 'x' }] })).to.equal('list[0].n: expected number, found "x"');
    expect(textOf({ name: 'a', list: [{ n: 1.5 }] })).to.equal('list[0].n: not whole');
    expect(textOf(5)).to.equal('the document: expected Object, found 5');
  });

  it('counts what else is wrong', () => {
    expect(textOf({})).to.equal('name: missing (and 1 more)');
  });
});
