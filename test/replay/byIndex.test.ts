import Database from 'better-sqlite3';
import { expect } from 'chai';
import { basename, join } from 'node:path';
import { pageText } from '../../core/value/address.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { random } from '../../core/value/random.js';
import { firstChange, history, historyJson, lastChange, type HistoryItem } from '../../replay/history.js';
import { logOn, openLog, type TraceView } from '../../replay/log.js';
import { livesIn, subjectOf } from '../../replay/subjects.js';
import { derivedTables } from '../../replay/tables.js';
import { why, whyJson } from '../../replay/why.js';
import { openStore, type Store } from '../../store/index.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { must } from '../store/given.js';
import { write as copyTo } from './given.js';
import { randomWorkload } from '../traces/randomWorkload.js';
import { imported, newDesk, recordingsOf, type Desk } from '../traces/recordings.js';

/** The same trace twice: with its derived tables, and without. */
interface Both {
  readonly indexed: TraceView;
  readonly replayed: TraceView;
}

const shown = (item: HistoryItem | null): unknown => (item === null ? null : historyJson(item));

const compare = ({ indexed, replayed }: Both, seed: number, subjects: number): void => {
  expect(must(indexed.index())).not.to.equal(null);
  expect(must(replayed.index())).to.equal(null);
  const chance = random(seed);
  const { events } = indexed.info;
  const lives = must(livesIn(replayed));
  let found = 0;
  for (let i = 0; i < subjects; i++) {
    const memory = must(replayed.at(chance.below(events + 1)));
    const pages = Array.from(PageTable.pages(memory.virtual), ([page]) => page);
    const page = pages[chance.below(pages.length)] ?? 0;
    const program = lives.programs[chance.below(lives.programs.length)];
    const pack = lives.packs[chance.below(lives.packs.length)];
    const text = [
      pageText(page),
      pageText(page).replace(/...$/, chance.below(4096).toString(16).padStart(3, '0')),
      `${pageText(page)}+${1 + chance.below(3 * 4096)}`,
      program === undefined ? pageText(page + 1) : `program:${program.number}`,
      pack === undefined ? pageText(page) : `pack:${pageText(pack.start)}`,
      program?.symbols.at(-1) ?? pageText(page),
    ][i % 6] as string;
    const subject = subjectOf(replayed, text);
    expect(subjectOf(indexed, text), text).to.deep.equal(subject);
    if (!subject.ok) continue;
    const to = i % 3 === 0 ? events : chance.below(events + 1);
    const from = i % 4 === 0 ? chance.below(to + 1) : 0;
    const all = Array.from(history(replayed, subject.value, { from, to }), must);
    found += all.length;
    const what = `${text} from ${from} to ${to}`;
    expect(
      Array.from(history(indexed, subject.value, { from, to }), must).map(historyJson),
      what,
    ).to.deep.equal(all.map(historyJson));
    expect(shown(must(lastChange(indexed, subject.value, to))), `last ${what}`).to.deep.equal(
      shown(must(lastChange(replayed, subject.value, to))),
    );
    expect(shown(must(firstChange(indexed, subject.value, from))), `first ${what}`).to.deep.equal(
      shown(must(firstChange(replayed, subject.value, from))),
    );
    const { start } = subject.value;
    const at = subject.value.kind === 'address' ? subject.value.address : start;
    expect(whyJson(must(why(indexed, at, to))), `why ${what}`).to.deep.equal(
      whyJson(must(why(replayed, at, to))),
    );
  }
  expect(found).to.be.greaterThan(subjects);
};

/** All rows of the tables that answer questions. */
const rowsOf = (store: Store): unknown =>
  [
    'touched',
    'touched_pages',
    'touched_programs',
    'lives_programs',
    'lives_names',
    'lives_packs',
    'operations',
    'markers',
  ].map((table) => {
    const answer = must(store.sql(`SELECT * FROM ${table}`));
    const rows = Array.from(answer.rows);
    answer.close();
    return rows;
  });

describe('history, last, first and why by the tables', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  const both = async (
    name: string,
    write: (store: ReturnType<Desk['store']>) => Promise<string>,
  ): Promise<Both> => {
    const store = must(openStore(join(desk.folder, `${name}.db`)));
    const replayed = must(logOn(store).trace(await write(store)));
    const given = must(replayed.given());
    const events = Array.from(replayed.batches({ from: 0 }), must).flat();
    const indexed = must(openStore(join(desk.folder, `${name}-tables.db`), derivedTables()));
    // Segments are so small that those which are passed over matter.
    copyTo(indexed, events, { name: replayed.name, meta: replayed.info.meta, given, size: 23 });
    return { indexed: must(logOn(indexed).trace(replayed.name)), replayed };
  };

  for (const folder of recordingsOf(/^(5\.10-S3|5\.18-rc3-S8|7\.2-S1)$/))
    it(`say what replay says: ${basename(folder)}`, async function () {
      this.timeout(120_000);
      compare(
        await both(basename(folder), async (store) => (await imported(store, folder)).report.trace),
        11,
        24,
      );
    });

  for (const kernel of ['6.1', '7.2'])
    it(`say what replay says of an emulation: ${kernel}`, async function () {
      this.timeout(120_000);
      const workload = randomWorkload(5, 90);
      compare(
        await both(`emulated-${kernel}`, async (store) => {
          const { report } = must(simulate(store, workload, { kernel, arch: 'x86_64', seed: 3 }));
          return report.trace;
        }),
        12,
        24,
      );
    });

  for (const folder of recordingsOf(/^7\.2-S4$/))
    it('know the frames of pages that were taken away some segments ago', async function () {
      this.timeout(120_000);
      const { indexed, replayed } = await both('taken', async (store) => {
        return (await imported(store, folder)).report.trace;
      });
      const subject = must(subjectOf(replayed, '0xffffffffc08b6000+10833'));
      const to = 23_864;
      const last = shown(must(lastChange(replayed, subject, to)));
      // A direct-map entry of a frame that its area gave back long before.
      expect(last).to.have.property('seq', 23_792);
      expect(shown(must(lastChange(indexed, subject, to)))).to.deep.equal(last);
    });

  it('are found by replay where the tables are of another version', async () => {
    const file = join(desk.folder, 'older.db');
    const store = must(openStore(file, derivedTables()));
    must(simulate(store, randomWorkload(8, 30), { kernel: '6.1', name: 'older' }));
    store.close();
    const db = new Database(file);
    // As a program before this one left it.
    db.exec("UPDATE projections SET version = 1 WHERE name = 'touched'; DROP TABLE touched_pages");
    db.close();
    const log = must(openLog(file));
    const trace = must(log.trace('older'));
    expect(must(trace.index())).to.equal(null);
    const subject = must(
      subjectOf(trace, pageText([...PageTable.pages(must(trace.at('end')).virtual)][0]?.[0] ?? 0)),
    );
    expect(must(lastChange(trace, subject))).not.to.equal(null);
    log.close();
  });

  it('are the same where images are damaged', async () => {
    const file = join(desk.folder, 'damaged.db');
    const store = must(openStore(file, derivedTables()));
    must(simulate(store, randomWorkload(8, 60), { kernel: '6.1', name: 'damaged' }));
    const trace = must(logOn(store).trace('damaged'));
    const { events } = trace.info;
    const text = pageText([...PageTable.pages(must(trace.at('end')).virtual)][0]?.[0] ?? 0);
    const asked = [events, Math.floor(events / 2)];
    const answers = (view: TraceView): unknown =>
      asked.map((to) => shown(must(lastChange(view, must(subjectOf(view, text)), to))));
    const expected = answers(trace);
    store.close();
    for (const damage of [
      "UPDATE touched_programs SET image = x'ffffff'",
      "UPDATE touched_pages SET images = x'ff'",
      "UPDATE touched SET blocks = x'ff'",
    ]) {
      const db = new Database(file);
      db.exec(damage);
      db.close();
      const log = must(openLog(file));
      const view = must(log.trace('damaged'));
      expect(must(view.index())).not.to.equal(null);
      expect(answers(view), damage).to.deep.equal(expected);
      log.close();
    }
  });

  it('rest on tables that are the same when they are made again', async () => {
    const folder = recordingsOf(/^5\.18-rc3-S8$|^6\.12-S1$/).at(-1) as string;
    const file = join(desk.folder, 'again.db');
    const first = must(openStore(file, derivedTables()));
    await imported(first, folder);
    must(simulate(first, randomWorkload(8, 30), { kernel: '6.1' }));
    const told = rowsOf(first);
    must(first.dropDerived());
    first.close();
    const again = must(openStore(file, derivedTables()));
    expect(rowsOf(again)).to.deep.equal(told);
    again.close();
  });
});
