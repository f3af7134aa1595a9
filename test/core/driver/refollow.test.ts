import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { encodeSegment } from '../../../core/codec/encode.js';
import { refollow } from '../../../core/driver/follow/refollow.js';
import type { Event } from '../../../core/event/event.js';
import { Origin } from '../../../core/event/kind.js';
import { profileNamed, PROFILES } from '../../../core/profile/profiles.js';
import type { TraceLog } from '../../../store/index.js';
import { randomOf } from '../../models/random.js';
import { must } from '../../store/given.js';
import { readTrace } from '../../traces/captures.js';
import { eventsOf, imported, newDesk, recordings, recordingsOf, startOf } from '../../traces/recordings.js';

const again = (log: TraceLog): Event[] => {
  const profile = PROFILES.find(({ name }) => name === log.info.meta['profile']);
  if (profile === undefined) throw new Error('no profile');
  return [...refollow({ profile, arch: x86_64, start: startOf(log), events: eventsOf(log) })];
};

/** The same events, compared as the bytes that a log keeps; the first that differs is shown. */
const expectSame = (log: TraceLog): void => {
  const old = eventsOf(log);
  const made = again(log);
  for (let from = 0; from < Math.max(old.length, made.length); from += 4096) {
    const [a, b] = [old.slice(from, from + 4096), made.slice(from, from + 4096)];
    if (b.length > 0 && Buffer.compare(encodeSegment(a), encodeSegment(b)) === 0) continue;
    for (let i = 0; i < 4096; i++) expect(b[i]).to.deep.equal(a[i]);
  }
  expect(made.length).to.equal(old.length);
};

describe('following the observed events of an import again', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();

  for (const folder of recordings())
    it(`gives the derived ones byte for byte: ${basename(folder)}`, async () => {
      const { report } = await imported(store, folder);
      const log = must(store.trace(report.trace));
      const derived = eventsOf(log).filter((event) => event.origin !== Origin.observed);
      expect(derived.length).to.be.above(100);
      expectSame(log);
    });

  for (const [what, share] of [
    ['one line of 200', 200],
    ['one line of 20', 20],
  ] as const)
    it(`gives also what follows from damage: ${what} is missing`, async () => {
      for (const folder of recordingsOf(/^(?:5\.10-S3|6\.1-S3|5\.18-rc3-S8|6\.12-S1|7\.2-S1)$/)) {
        const random = randomOf(7 * share);
        const lines = readTrace(folder).toString('latin1').split('\n');
        const kept = lines.filter((line) => line.startsWith('#') || random(share) > 0);
        const path = join(desk.folder, `${basename(folder)}-${share}.txt`);
        writeFileSync(path, kept.join('\n'), 'latin1');
        const { report } = await imported(store, path);
        expect(report.lost).to.be.above(0);
        if (share === 20) expect(report.divergences).to.be.above(0);
        expectSame(must(store.trace(report.trace)));
      }
    });

  it('is no proof of itself: another observed event gives other derived ones', async () => {
    const folder = recordingsOf(/^6\.1-S3$/)[0];
    if (folder === undefined) throw new Error('no recording');
    const { report } = await imported(store, folder);
    const log = must(store.trace(report.trace));
    const profile = profileNamed('6.1');
    if (profile === null) throw new Error('no profile');
    const old = eventsOf(log);
    const at = old.findLastIndex((event) => event.kind === 'returned' && event.fn === 'bpf_prog_pack_alloc');
    const events = old.toSpliced(at, 1);
    const made = [...refollow({ profile, arch: x86_64, start: startOf(log), events })];
    expect(made.length).to.not.equal(old.length);
    expect(made.some((event) => event.kind === 'divergence')).to.equal(true);
  });
});
