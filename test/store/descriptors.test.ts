import { expect } from 'chai';
import { newFile, open } from './files.js';
import { codeOf, forge, must, tamper } from './given.js';

describe('Descriptors of event kinds', () => {
  const split = { kind: 'split', version: 1, descriptor: { fields: [{ name: 'page', type: 'page' }] } };

  it('are kept with the log, once', () => {
    const file = newFile();
    const store = open(file);
    const two = { kind: 'split', version: 2, descriptor: { fields: [] } };
    expect(must(store.describe([split]))).to.equal(1);
    expect(must(store.describe([split, two]))).to.equal(1);
    store.close();
    expect(must(open(file, { readonly: true }).descriptors())).to.deep.equal([split, two]);
  });

  it('may not change without a new version', () => {
    const file = newFile();
    const store = open(file);
    must(store.describe([split]));
    expect(codeOf(store.describe([{ ...split, descriptor: { fields: [] } }]))).to.equal('conflict');
    expect(codeOf(store.describe([{ ...split, version: 2, descriptor: [1] }]))).to.equal('bad-descriptor');
    expect(() => tamper(file, (db) => db.exec(`UPDATE descriptors SET descriptor = '{}'`))).to.throw(
      'only be appended',
    );
    expect(must(store.descriptors())).to.deep.equal([split]);
    forge(file, (db) => db.exec(`UPDATE descriptors SET descriptor = 'no JSON'`));
    expect(must(store.descriptors())).to.deep.equal([{ ...split, descriptor: {} }]);
  });
});
