import { expect } from 'chai';
import type { Result } from '../../core/value/failure.js';
import type { Store, TraceLog } from '../../store/index.js';
import { newFile, open } from './files.js';
import { codeOf, must, newTrace, segment, segments } from './given.js';

/** Every method, with arguments that work on an open log. */
const METHODS: Readonly<Record<string, (store: Store, log: TraceLog) => Result<unknown>>> = {
  traces: (store) => store.traces(),
  trace: (store) => store.trace('a'),
  createTrace: (store) => store.createTrace({ name: 'c', meta: {}, genesis: new Uint8Array() }),
  remove: (store) => store.remove('b'),
  compact: (store) => store.compact(),
  tombstones: (store) => store.tombstones(),
  sql: (store) => store.sql('SELECT 1'),
  verify: (store) => store.verify('a'),
  describe: (store) => store.describe([{ kind: 'k', version: 1, descriptor: {} }]),
  descriptors: (store) => store.descriptors(),
  projections: (store) => store.projections(),
  rebuild: (store) => store.rebuild(),
  dropDerived: (store) => store.dropDerived(),
  dropSnapshots: (store) => store.dropSnapshots(),
  genesis: (_, log) => log.genesis(),
  append: (_, log) => log.append(segment(2)),
  appendAll: (_, log) => log.appendAll(segments(3)),
  segmentAt: (_, log) => log.segmentAt(1),
  segments: (_, log) => [...log.segments()][0] ?? log.genesis(),
  'segments, from the middle': (_, log) => [...log.segments(5)][0] ?? log.genesis(),
  saveSnapshot: (_, log) => log.saveSnapshot(4, Buffer.from('x'), 'r'),
  nearestSnapshot: (_, log) => log.nearestSnapshot(4, 'r'),
  derived: (_, log) => log.derived({ name: 'nothing', version: 1 }, 'SELECT 1 FROM segments WHERE trace = ?'),
  finish: (_, log) => log.finish({}),
};

const WRITES = [
  'createTrace',
  'remove',
  'compact',
  'describe',
  'rebuild',
  'dropDerived',
  'dropSnapshots',
  'append',
  'appendAll',
  'saveSnapshot',
  'finish',
];

/** A log with a trace of two segments and an empty one. */
function someLog(): string {
  const file = newFile();
  const store = open(file);
  must(newTrace(store, 'a').appendAll(segments(2)));
  newTrace(store, 'b');
  store.close();
  return file;
}

describe('Every method', () => {
  for (const [name, call] of Object.entries(METHODS)) {
    it(`${name} works on an open log`, () => {
      const store = open(someLog());
      expect(codeOf(call(store, must(store.trace('a'))))).to.equal('ok');
    });

    it(`${name} fails with a value on a closed log`, () => {
      const store = open(someLog());
      const log = must(store.trace('a'));
      store.close();
      expect(codeOf(call(store, log))).to.equal('closed');
    });

    const expected = WRITES.includes(name) ? 'read-only' : 'ok';
    it(`${name} is ${expected} on a log opened for reading`, () => {
      const store = open(someLog(), { readonly: true });
      expect(codeOf(call(store, must(store.trace('a'))))).to.equal(expected);
    });

    it(`${name} works while segments and rows are being read`, () => {
      const store = open(someLog(), { busyTimeout: 50 });
      const log = must(store.trace('a'));
      const reading = log.segments();
      reading.next();
      const { rows } = must(store.sql('SELECT idx FROM segments'));
      rows.next();
      // What must have the file for itself says that it has not; nothing else minds.
      expect(codeOf(call(store, log))).to.be.oneOf(name === 'compact' ? ['busy', 'ok'] : ['ok']);
      expect(must(reading.next().value as Result<{ index: number }>).index).to.equal(1);
      expect([...rows].map(codeOf)).to.deep.equal(['ok']);
    });
  }

  it('is in the table', () => {
    const store = open(someLog());
    const names = [...Object.keys(store), ...Object.keys(must(store.trace('a')))];
    expect(names.filter((name) => !['file', 'close', 'info'].includes(name)).sort()).to.deep.equal(
      Object.keys(METHODS)
        .filter((name) => !name.includes(','))
        .sort(),
    );
  });

  it('close can be called twice, and info is what it was last', () => {
    const store = open(someLog());
    const log = must(store.trace('a'));
    must(log.append(segment(2)));
    expect(log.info.events).to.equal(12);
    store.close();
    store.close();
    expect(log.info.events).to.equal(12);
  });

  it('segments says that the log was closed while they were read', () => {
    const store = open(someLog());
    const reading = must(store.trace('a')).segments();
    reading.next();
    store.close();
    expect([...reading].map(codeOf)).to.deep.equal(['closed']);
  });
});
