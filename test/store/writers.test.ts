import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { errandSegment } from './appender.js';
import { acknowledged, send } from './child.js';
import { newFile, open } from './files.js';
import { codeOf, failure, must, newTrace, plain, readAll, segment, segments, noise } from './given.js';

describe('Two writers', function () {
  this.timeout(60_000);

  it('take turns; one that waits too long gets `busy`', () => {
    const file = newFile();
    const log = newTrace(open(file, { busyTimeout: 50 }));
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    expect(failure(log.append(segment(0)))).to.include({
      code: 'busy',
      hint: 'wait until it is done, or end it',
    });
    other.exec('ROLLBACK');
    must(log.append(segment(0)));
    other.close();
  });

  it('of one trace: the slower gets `conflict`, and the log has what the faster wrote', () => {
    const file = newFile();
    const [one, two] = [newTrace(open(file)), newTrace(open(file))];
    must(one.append(segment(0)));
    must(two.append(segment(1)));
    expect(codeOf(one.append(segment(1, 4, 'other')))).to.equal('conflict');
    must(one.append(segment(2)));
    expect(readAll(two).map(plain)).to.deep.equal(segments(3).map(plain));
  });

  it('in two processes that import the same append each segment once', async () => {
    const file = newFile();
    const errand = { file, segments: 150 };
    const all = await Promise.all(
      [send(errand), send({ ...errand, perCommit: 2 })].map(async (c) => c.ended),
    );
    expect(all.map(acknowledged)).to.deep.equal([150, 150]);
    const store = open(file, { readonly: true });
    expect(must(store.verify('a'))).to.include({ intact: true, segments: 150 });
    expect(readAll(must(store.trace('a'))).map(plain)).to.deep.equal(
      Array.from({ length: 150 }, (_, i) => plain(errandSegment(i))),
    );
  });

  it('in two processes that import different things into one trace: one gets `conflict`', async () => {
    const file = newFile();
    const errands = ['this', 'that'].map((what) => send({ file, segments: 100, what }));
    const all = await Promise.all(errands.map(async (child) => child.ended));
    expect(all.map((lines) => lines.at(-1))).to.have.members(['100', 'conflict']);
    expect(must(open(file).verify('a'))).to.include({ intact: true, segments: 100 });
  });

  it('in two processes of two traces both come to their end', async () => {
    const file = newFile();
    const errands = ['a', 'b'].map((trace) => send({ file, segments: 200, trace, what: trace }));
    const all = await Promise.all(errands.map(async (child) => child.ended));
    expect(all.map(acknowledged)).to.deep.equal([200, 200]);
    const store = open(file);
    for (const name of ['a', 'b'])
      expect(must(store.verify(name))).to.include({ intact: true, segments: 200 });
  });
});

describe('A reader beside a writer', function () {
  this.timeout(60_000);

  it('always sees a whole prefix that only grows', async () => {
    const file = newFile();
    newTrace(open(file)).genesis();
    const store = open(file, { readonly: true });
    const log = must(store.trace('a'));
    const child = send({ file, segments: 400, perCommit: 2 });
    let seen = 0;
    let looks = 0;
    for (let ended = false; !ended; looks++) {
      ended = await Promise.race([
        child.ended.then(() => true),
        new Promise<false>((r) => setImmediate(r, false)),
      ]);
      const before = acknowledged(child.lines);
      // Often at the end, where segments are appended while one looks for them.
      for (let i = 0; i < 20; i++) {
        const fresh = readAll(log, seen * 4 + 1);
        expect(fresh.map(plain)).to.deep.equal(fresh.map((_, at) => plain(errandSegment(seen + at))));
        seen += fresh.length;
      }
      expect(seen).to.be.at.least(before);
      expect(must(store.verify('a'))).to.include({ intact: true });
    }
    expect(seen).to.equal(400);
    expect(looks).to.be.above(2);
    expect(must(store.verify('a')).intact).to.equal(true);
  });

  it('reads all of a long log without letting the write-ahead log grow', () => {
    const file = newFile();
    const writer = newTrace(open(file));
    must(writer.append({ first: 1, count: 1, bytes: noise(0, 40_000) }));
    const reading = must(open(file, { readonly: true }).trace('a')).segments();
    let largest = 0;
    for (let i = 1; i < 400; i++) {
      must(writer.append({ first: i + 1, count: 1, bytes: noise(i, 40_000) }));
      expect(codeOf(reading.next().value ?? writer.genesis())).to.equal('ok');
      largest = Math.max(largest, statSync(`${file}-wal`).size);
    }
    expect(largest).to.be.below(24 * 1024 * 1024);
    expect(writer.info.bytes).to.be.above(60 * 1024 * 1024);
  });
});
