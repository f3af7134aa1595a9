/** The events that a finding names are those of that finding: in order, and from when it was so. */
import { basename } from 'node:path';
import { expect } from 'chai';
import { auditTrace } from '../../replay/audit/audit.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import { imported, newDesk, recordings, type Desk } from '../traces/recordings.js';

describe('the evidence of a finding', function () {
  this.timeout(120_000);
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  for (const folder of recordings())
    it(`${basename(folder)}: is in order, of the time that it is about, and of the bytes that it counts`, async () => {
      const store = desk.store(basename(folder));
      await imported(store, folder, { name: 't' });
      const { patterns, events } = must(auditTrace(must(logOn(store).trace('t'))));
      store.close();
      for (const { message, evidence, from, to, bytes } of patterns.flatMap((one) => one.findings)) {
        const seqs = evidence.map(({ seq }) => seq);
        expect(seqs, message).to.deep.equal(seqs.toSorted((a, b) => a - b));
        expect(from, message).to.be.within(0, to ?? events);
        for (const seq of seqs) expect(seq, message).to.be.within(0, to ?? events);
        const inherited = /executable with (\d+) bytes of whatever/.exec(message)?.[1];
        if (inherited !== undefined) expect(Number(inherited), message).to.be.within(64, bytes);
      }
    });
});
