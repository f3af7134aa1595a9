import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { describeKinds } from '../../core/codec/describe.js';
import { encodeSegment } from '../../core/codec/encode.js';
import { eventJson } from '../../core/codec/json.js';
import type { Event } from '../../core/event/event.js';
import { anySegment } from '../core/codec/arbitrary.js';
import { newFile, open } from './files.js';
import { forge, must, newTrace, segments } from './given.js';

/** docs/read_log.py, wherever the tests were built. */
function script(): string {
  for (let at = fileURLToPath(new URL('.', import.meta.url)); ; at = join(at, '..')) {
    const file = join(at, 'docs', 'read_log.py');
    if (existsSync(file) || at === join(at, '..')) return file;
  }
}

interface Answer {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

function python(...args: readonly string[]): Answer {
  const run = spawnSync('python3', [script(), ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return {
    status: run.status,
    lines: run.stdout.split('\n').filter((line) => line !== ''),
    errors: run.stderr,
  };
}

const hasPython = spawnSync('python3', ['--version']).status === 0;

(hasPython ? describe : describe.skip)('docs/read_log.py', function () {
  this.timeout(60_000);

  it('has at most 100 lines and needs nothing but the standard library', () => {
    const lines = readFileSync(script(), 'utf8').trimEnd().split('\n');
    expect(lines.length).to.be.at.most(100);
    const imports = lines.flatMap((line) => /^import (\w+)$/.exec(line)?.[1] ?? []);
    expect(imports).to.deep.equal(['hashlib', 'json', 'sqlite3', 'struct', 'sys', 'zlib']);
  });

  it('finds the chains whole that are, while the log is open too', () => {
    const file = newFile();
    const store = open(file);
    const long = newTrace(store, 'übung', 'genesis '.repeat(300));
    const short = newTrace(store, 'b');
    must(long.appendAll(segments(7)));
    must(short.append({ first: 1, count: 4096, bytes: Buffer.from([1, 2, 3]) }));
    const logs = [long, short, newTrace(store, 'empty')];
    const wanted = [
      ['übung', 28, 7],
      ['b', 4096, 1],
      ['empty', 0, 0],
    ].map((line, i) => [...line, logs[i]?.info.root, 'whole'].join('\t'));
    expect(python(file)).to.deep.equal({ status: 0, lines: wanted, errors: '' });
    store.close();
    expect(python(file).lines).to.deep.equal(wanted);
  });

  it('finds what is damaged where pagetrail does', () => {
    for (const [sql, state] of [
      [`UPDATE segments SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE idx = 2`, /^segment 2/],
      ['UPDATE segments SET codec = 9 WHERE idx = 2', /^segment 2/],
      ['UPDATE segments SET first = 10 WHERE idx = 2', /^segment 2.* from event 9/],
      ['DELETE FROM segments WHERE idx = 3', /^segment 3/],
      [`UPDATE traces SET meta = '{}'`, /^its genesis/],
      ['UPDATE heads SET root = zeroblob(32)', /^the file says that it ends with event 20/],
    ] as const) {
      const file = newFile();
      const store = open(file);
      must(newTrace(store).appendAll(segments(5)));
      store.close();
      forge(file, (db) => db.exec(sql));
      const { status, lines } = python(file);
      expect(lines[0]?.split('\t')[4], sql).to.match(state);
      expect(status).to.equal(1);
      expect(must(open(file).verify('a')).intact).to.equal(false);
    }
  });

  it('decodes the events as pagetrail does', () => {
    const list = fc.sample(anySegment, { numRuns: 30, seed: 5 }).filter((events) => events.length > 0);
    let next = 1;
    const numbered: readonly (readonly Event[])[] = list.map((events) => {
      const first = next;
      next += events.length;
      return events.map((event, i): Event => Object.assign({}, event, { seq: first + i }));
    });
    const file = newFile();
    const store = open(file);
    must(store.describe(describeKinds()));
    const log = newTrace(store);
    for (const events of numbered) {
      must(log.append({ first: events[0]?.seq ?? 0, count: events.length, bytes: encodeSegment(events) }));
    }
    const { status, lines } = python(file, 'a');
    expect(status).to.equal(0);
    const wanted: unknown = JSON.parse(JSON.stringify(numbered.flat().map(eventJson)));
    expect(lines.map((line): unknown => JSON.parse(line))).to.deep.equal(wanted);
  });

  it('says when there is no log, or no such trace', () => {
    const file = newFile();
    expect(python(file).status).to.equal(2);
    newTrace(open(file));
    expect(python(file, 'b').status).to.equal(2);
    expect(python(fileURLToPath(import.meta.url)).status).to.equal(2);
  });
});
