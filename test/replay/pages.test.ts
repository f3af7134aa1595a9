import { expect } from 'chai';
import { join } from 'node:path';
import { evolveAll } from '../../core/memory/evolve.js';
import { Memory } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { random } from '../../core/value/random.js';
import { pageHistory } from '../../replay/pages.js';
import { derivedTables } from '../../replay/tables.js';
import { openStore, type Store } from '../../store/index.js';
import { must } from '../store/given.js';
import { eventsOf, imported, newDesk, recordingsOf, startOf, type Desk } from '../traces/recordings.js';

const NAMES = /^(5\.18-rc3-S8|6\.1-S3|6\.12-S2|7\.2-S1)$/;

describe('permission history of a log', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  const recorded = async (folder: string, file: string): Promise<{ store: Store; name: string }> => {
    const store = must(openStore(join(desk.folder, file), derivedTables()));
    const { report } = await imported(store, folder);
    return { store, name: report.trace };
  };

  for (const folder of recordingsOf(NAMES))
    it(`answers like replay: ${folder.split('/').at(-1)}`, async () => {
      const { store, name } = await recorded(folder, `${folder.split('/').at(-1)}.db`);
      const log = must(store.trace(name));
      const pages = must(pageHistory(log));
      if (pages === null) throw new Error('no permission history');
      const events = eventsOf(log);
      const chance = random(7);
      let compared = 0;
      for (let i = 0; i < 10; i++) {
        const seq = chance.below(events.length + 1);
        const memory = evolveAll(startOf(log), events.slice(0, seq));
        for (const [space, table] of [memory.virtual, memory.direct].entries()) {
          const known = Array.from(PageTable.pages(table), ([page]) => page);
          for (let j = 0; j < 40; j++) {
            const page = (known[chance.below(known.length)] ?? 0) + (j % 20 === 0 ? 513 : 0);
            const told = must(pages.at(space, page, seq));
            const entry = PageTable.get(table, page);
            if (told !== null && 'changing' in told) continue;
            compared++;
            expect(`${told?.is.prot ?? 0} ${told?.is.shift ?? 0}`, `${space} ${page} at ${seq}`).to.equal(
              `${entry?.prot ?? 0} ${entry?.shift ?? 0}`,
            );
            const past = must(pages.past(space, page, page + 1, seq));
            const last = must(pages.last(space, page, page + 1, seq));
            expect(past.findLast(({ from }) => from <= seq)).to.deep.equal(last ?? undefined);
          }
        }
        const executable = must(pages.having(0, 5, seq)).reduce((sum, row) => sum + row.pages, 0);
        let really = 0;
        for (const [page] of PageTable.pages(memory.virtual))
          if (((Memory.page(memory, page)?.prot ?? 0) & 5) === 5) really++;
        const open = must(pages.changed(seq, events.length)).some((row) => row.since <= seq);
        if (!open) expect(executable).to.equal(really);
      }
      expect(compared).to.be.greaterThan(100);
      store.close();
    });

  it('is made again from the log, the same, when its table is gone', async () => {
    const folder = recordingsOf(/^6\.12-S2$|^6\.12-S1$/).at(-1) as string;
    const { store, name } = await recorded(folder, 'again.db');
    const first = must(pageHistory(must(store.trace(name))))?.changed(-1, Infinity);
    must(store.dropDerived());
    expect(must(pageHistory(must(store.trace(name))))).to.equal(null);
    store.close();
    const again = must(openStore(join(desk.folder, 'again.db'), derivedTables()));
    const second = must(pageHistory(must(again.trace(name))))?.changed(-1, Infinity);
    expect(second).to.deep.equal(first);
    again.close();
  });
});
