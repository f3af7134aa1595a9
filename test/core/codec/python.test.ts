import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { describeKinds } from '../../../core/codec/describe.js';
import { encodeSegment } from '../../../core/codec/encode.js';
import { eventJson } from '../../../core/codec/json.js';
import { KINDS, type Event } from '../../../core/event/event.js';
import { churn } from '../../../bench/churn.js';
import { anySegment, eventOfKind, numbered } from './arbitrary.js';
import { projectRoot } from './given.js';

const READ = `
import json, sys
sys.path.insert(0, sys.argv[1])
from read_events import decode_segment
kinds = json.load(open(sys.argv[2] + "/kinds.json"))
for i in range(int(sys.argv[3])):
    print(json.dumps(list(decode_segment(open("%s/%d" % (sys.argv[2], i), "rb").read(), kinds))))
`;

/** What docs/read_events.py makes of the segments. */
function readByPython(segments: readonly Uint8Array[]): unknown[] {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-python-'));
  try {
    writeFileSync(
      join(folder, 'kinds.json'),
      JSON.stringify(describeKinds().map(({ descriptor }) => descriptor)),
    );
    segments.forEach((bytes, i) => writeFileSync(join(folder, String(i)), bytes));
    const args = ['-B', '-c', READ, join(projectRoot, 'docs'), folder, String(segments.length)];
    const run = spawnSync('python3', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (run.status !== 0) throw new Error(run.stderr);
    return run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const hasPython = spawnSync('python3', ['--version']).status === 0;

const agrees = (segments: readonly (readonly Event[])[]): void => {
  const expected = segments.map((events) => events.map(eventJson));
  expect(readByPython(segments.map(encodeSegment))).to.deep.equal(JSON.parse(JSON.stringify(expected)));
};

(hasPython ? describe : describe.skip)('docs/read_events.py', () => {
  it('reads every kind as pagetrail does', () => {
    agrees(
      KINDS.flatMap((kind) => {
        const own = fc.sample(fc.array(eventOfKind(kind), { minLength: 1, maxLength: 30 }), {
          numRuns: 8,
          seed: 7,
        });
        return own.map((events, i) => (i % 2 ? events : numbered(events, 3)));
      }),
    );
  });

  it('reads calls in calls as pagetrail does', () => {
    agrees([churn(4000).slice(0, 4000), churn(3000).slice(1234, 2345)]);
  });

  it('reads kinds together as pagetrail does', () => {
    agrees(fc.sample(anySegment, { numRuns: 200, seed: 11 }));
  });
});
