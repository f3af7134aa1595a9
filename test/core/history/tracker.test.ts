import { expect } from 'chai';
import { eventOf, type Event, type Fact } from '../../../core/event/event.js';
import { Origin } from '../../../core/event/kind.js';
import { ContentClass, PageContent } from '../../../core/memory/content.js';
import { evolveAll, folder } from '../../../core/memory/evolve.js';
import { Memory, nothing } from '../../../core/memory/memory.js';
import { PageTable } from '../../../core/memory/pageTable.js';
import { aligned, LARGEST, type Rectangle } from '../../../core/history/rectangle.js';
import { rectangleTracker } from '../../../core/history/tracker.js';
import { Prot } from '../../../core/value/prot.js';
import { random } from '../../../core/value/random.js';
import { eventsOf, imported, newDesk, recordingsOf, startOf, type Desk } from '../../traces/recordings.js';
import { must } from '../../store/given.js';

const keyOf = ({ space, page, pages, from }: Rectangle): string => `${space} ${page} ${pages} ${from}`;

/** All rectangles of a trace, told in parts of `part` events. */
const rectanglesOf = (start: Memory, events: readonly Event[], part: number): Rectangle[] => {
  const fold = folder(start);
  const rows = new Map<string, Rectangle>();
  let tracker = rectangleTracker(fold.memory);
  const take = (): void => {
    const { opened, closed, dropped } = tracker.take();
    for (const row of dropped) expect(rows.delete(keyOf(row)), keyOf(row)).to.equal(true);
    for (const row of closed) {
      expect(rows.has(keyOf(row)), keyOf(row)).to.equal(true);
      rows.set(keyOf(row), row);
    }
    for (const row of opened) {
      expect(rows.has(keyOf(row)), keyOf(row)).to.equal(false);
      rows.set(keyOf(row), row);
    }
  };
  for (const [i, event] of events.entries()) {
    fold.apply(event);
    tracker.after(event);
    if (i % part === part - 1) take();
  }
  take();
  tracker = rectangleTracker(
    fold.memory,
    [...rows.values()].filter(({ to }) => to === null),
  );
  expect(tracker.take()).to.deep.equal({ opened: [], closed: [], dropped: [] });
  return [...rows.values()];
};

const maskOf = (memory: Memory, frame: number): number => {
  const content = Memory.contentOf(memory, frame);
  let mask = 0;
  if (content !== null)
    for (let block = 0; block < 64; block++) mask |= 1 << PageContent.classAt(content, block);
  return mask;
};

interface Told {
  readonly wrong: string[];
  readonly unsure: number;
  readonly pages: number;
}

/** Compares what the rectangles say of a moment with memory rebuilt by replay. */
const compare = (memory: Memory, rectangles: readonly Rectangle[], at: number): Told => {
  const wrong: string[] = [];
  let unsure = 0;
  let pages = 0;
  for (const [space, table] of [memory.virtual, memory.direct].entries()) {
    const said = new Map<number, Rectangle>();
    const begun = new Set<number>();
    for (const row of rectangles) {
      if (row.space !== space) continue;
      for (let page = row.page; page < row.page + row.pages; page++) {
        if (row.from <= at && (row.to === null || at < row.to)) {
          if (said.has(page)) wrong.push(`${space} ${page}: two rectangles at ${at}`);
          said.set(page, row);
        } else if (row.since <= at && at < row.from) begun.add(page);
      }
    }
    const all = new Set([...said.keys(), ...Array.from(PageTable.pages(table), ([page]) => page)]);
    for (const page of all) {
      pages++;
      const entry = PageTable.get(table, page);
      const row = said.get(page);
      if (begun.has(page)) {
        unsure++;
        if (row !== undefined) wrong.push(`${space} ${page}: told and on its way at ${at}`);
        continue;
      }
      const is = `${entry?.prot ?? 0} ${entry?.shift ?? 0} ${space === 0 && entry !== null ? maskOf(memory, entry.frame) : 0}`;
      const told = row === undefined ? '0 0 0' : `${row.prot} ${row.shift} ${row.classes}`;
      if (is !== told) wrong.push(`${space} ${page} at ${at}: memory ${is}, rectangles ${told}`);
    }
  }
  return { wrong, unsure, pages };
};

/** A page of which every step says what happened: [task, call, fact]. Moments at which some call has begun to change it are `unsure`. */
const tell = (
  steps: readonly (readonly [task: string, call: number, fact: Fact])[],
  unsure: readonly number[],
) => {
  const events = steps.map(([task, call, fact], i) =>
    eventOf({ seq: i + 1, time: i, cpu: 0, task, call, origin: Origin.observed }, fact),
  );
  const rectangles = rectanglesOf(nothing, events, 4096);
  for (let at = 0; at <= events.length; at++) {
    const { wrong, unsure: some } = compare(evolveAll(nothing, events.slice(0, at)), rectangles, at);
    expect(wrong, `at ${at}`).to.deep.equal([]);
    expect(some > 0, `at ${at}`).to.equal(unsure.includes(at));
  }
};

describe('rectangles of the permission history', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  it('splits ranges into aligned powers of two', () => {
    for (const [first, pages] of [
      [0, 513],
      [511, 2],
      [3, 1000],
    ] as const) {
      let next = first;
      aligned(first, pages, (page, size) => {
        expect(page).to.equal(next);
        expect(page % size).to.equal(0);
        expect(Math.log2(size) % 1).to.equal(0);
        expect(size).to.be.at.most(LARGEST);
        next += size;
      });
      expect(next).to.equal(first + pages);
    }
  });

  it('knows every class of content', () => {
    expect(Math.max(...Object.values(ContentClass))).to.be.below(31);
  });

  const page = 0xffffffffc0000;
  const words = { hi: [], lo: [], texts: null };
  const entered: Fact = { kind: 'entered', fn: 'f', place: '', names: '', values: words };
  const returned: Fact = { kind: 'returned', fn: 'f', place: '', names: '', values: words };
  const rx = Prot.present | Prot.executable;
  const mapped: Fact = { kind: 'mapped', page, pages: 1, shift: 12, prot: rx, frame: 5 };
  const change = (set: number, clear: number): Fact => ({
    kind: 'permission',
    space: 0,
    page,
    pages: 1,
    set,
    clear,
  });

  it('do not say of a page that was otherwise inside a call, and is as before after it, that nothing happened', () => {
    tell(
      [
        ['t-1', 0, mapped],
        ['t-1', 0, entered],
        ['t-1', 2, change(0, Prot.executable)],
        ['t-1', 2, change(Prot.executable, 0)],
        ['t-1', 2, returned],
      ],
      [3],
    );
  });

  it('begin with the first of two calls that change a page at once, whichever ends first', () => {
    tell(
      [
        ['a-1', 0, mapped],
        ['a-1', 0, entered],
        ['b-2', 0, entered],
        ['a-1', 2, change(0, Prot.executable)],
        ['b-2', 3, change(Prot.writable, 0)],
        ['b-2', 3, returned],
        ['a-1', 2, returned],
      ],
      [4],
    );
    tell(
      [
        ['a-1', 0, mapped],
        ['a-1', 0, entered],
        ['b-2', 0, entered],
        ['a-1', 2, change(0, Prot.executable)],
        ['b-2', 3, change(Prot.writable, 0)],
        ['a-1', 2, change(Prot.dirty, 0)],
        ['a-1', 2, returned],
        ['b-2', 3, change(0, Prot.writable)],
        ['b-2', 3, returned],
      ],
      [4, 5, 6, 7],
    );
  });

  for (const folderName of recordingsOf(/^(5\.10-S3|5\.18-rc3-S8|5\.18-rc5-S8|6\.1-S5|6\.12-S2|7\.2-S1)$/)) {
    it(`say the same as replay, at random moments of ${folderName.split('/').at(-1)}`, async function () {
      this.timeout(120_000);
      const store = desk.store(folderName.split('/').at(-1) ?? 'log');
      const {
        report: { trace: name },
      } = await imported(store, folderName);
      const log = must(store.trace(name));
      const start = startOf(log);
      const events = eventsOf(log);
      const rectangles = rectanglesOf(start, events, 4096);
      const chance = random(events.length);
      const moments = Array.from({ length: 12 }, () => chance.below(events.length + 1))
        .concat(0, events.length)
        .sort((a, b) => a - b);
      let memory = start;
      let done = 0;
      let unsure = 0;
      let pages = 0;
      for (const at of moments) {
        memory = evolveAll(memory, events.slice(done, at));
        done = at;
        const told = compare(memory, rectangles, at);
        expect(told.wrong.slice(0, 5), `${told.wrong.length} wrong`).to.deep.equal([]);
        unsure += told.unsure;
        pages += told.pages;
      }
      expect(pages).to.be.greaterThan(100);
      expect(unsure / pages).to.be.lessThan(0.5);
    });
  }
});
