import { expect } from 'chai';
import { newFile, open } from './files.js';
import { codeOf, failure, must, newTrace, segment } from './given.js';

describe('Traces', () => {
  it('are listed in the order they were made, with what is known of them', () => {
    const store = open(newFile());
    const genesis = Buffer.from('dump');
    must(store.createTrace({ name: 'b', meta: { z: 1, a: { y: [true] } }, genesis, created: '2022-04-25' }));
    newTrace(store, 'a');
    const [b, a] = must(store.traces());
    expect(b).to.deep.include({
      id: 1,
      name: 'b',
      created: '2022-04-25',
      meta: { a: { y: [true] }, z: 1 },
      events: 0,
      segments: 0,
      bytes: 0,
      complete: false,
    });
    expect(b?.root)
      .to.match(/^[0-9a-f]{64}$/)
      .and.equal(b?.genesisRoot);
    expect(a).to.include({ name: 'a', created: null });
    expect(Buffer.from(must(must(store.trace('b')).genesis())).toString()).to.equal('dump');
  });

  it('are found again when made with the same name, meta and genesis', () => {
    const store = open(newFile());
    must(newTrace(store).append(segment(0)));
    const again = must(
      store.createTrace({
        name: 'a',
        meta: { kernel: '5.18-rc3' },
        genesis: Buffer.from('genesis'),
        created: 'later',
      }),
    );
    expect(again.info).to.include({ id: 1, events: 4, created: null });
    expect(must(store.traces())).to.have.length(1);
  });

  it('of one name with another meta or genesis are a conflict', () => {
    const store = open(newFile());
    newTrace(store);
    const meta = { kernel: '5.18-rc3' };
    const genesis = Buffer.from('genesis');
    expect(codeOf(store.createTrace({ name: 'a', meta: { kernel: '5.18-rc4' }, genesis }))).to.equal(
      'conflict',
    );
    expect(codeOf(store.createTrace({ name: 'a', meta, genesis: Buffer.from('Genesis') }))).to.equal(
      'conflict',
    );
    expect(must(store.traces())).to.have.length(1);
  });

  it('have names that a moment can begin with', () => {
    const store = open(newFile());
    for (const name of ['', 'a@b', ' a', 'a ', 'a\nb', '\u0000', '\ud800', 'x'.repeat(201)]) {
      expect(codeOf(store.createTrace({ name, meta: {}, genesis: new Uint8Array() })), name).to.equal(
        'bad-name',
      );
    }
    for (const name of ['rc3-S8', 'a b', 'μ/trace.txt', '"; DROP TABLE traces; --', 'x'.repeat(200)]) {
      expect(newTrace(store, name).info.name).to.equal(name);
      expect(must(store.trace(name)).info.name).to.equal(name);
    }
  });

  it('have a JSON object for meta', () => {
    const store = open(newFile());
    for (const meta of [{ big: 1n }, [1], { when: new Date(0) }, { n: NaN }]) {
      expect(codeOf(store.createTrace({ name: 'a', meta, genesis: new Uint8Array() }))).to.equal('bad-meta');
    }
  });

  it('of a name that is not there are a failure with near names', () => {
    const store = open(newFile());
    expect(failure(store.trace('rc3-S8')).hint).to.equal(
      'this log is empty: import or simulate something first',
    );
    for (const name of ['rc3-S8', 'rc3-S1', '6.1-S5', '5.10-S2']) newTrace(store, name);
    expect(failure(store.trace('rc3-s8'))).to.include({
      code: 'no-such-trace',
      what: 'there is no trace "rc3-s8"',
      hint: 'did you mean rc3-S8 or rc3-S1?',
    });
    expect(failure(store.trace('S5')).hint).to.match(/^did you mean 6\.1-S5/);
    expect(failure(store.trace('elsewhere')).hint).to.equal('there are: rc3-S8, rc3-S1, 6.1-S5, 5.10-S2');
    for (let i = 0; i < 10; i++) newTrace(store, `import number ${i}`);
    expect(failure(store.trace('elsewhere')).hint).to.equal('pagetrail traces lists the 14 that there are');
  });
});
