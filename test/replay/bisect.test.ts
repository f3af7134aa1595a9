import { expect } from 'chai';
import { basename, join } from 'node:path';
import { PageTable } from '../../core/memory/pageTable.js';
import { folder } from '../../core/memory/evolve.js';
import { pageText } from '../../core/value/address.js';
import { random } from '../../core/value/random.js';
import { bisect, bisectJson, type Bisected, type BisectOptions } from '../../replay/bisect.js';
import { logOn, type TraceView } from '../../replay/log.js';
import { livesIn } from '../../replay/subjects.js';
import { derivedTables } from '../../replay/tables.js';
import { evaluate } from '../../replay/when/evaluate.js';
import { parseExpression } from '../../replay/when/parse.js';
import { surroundingsOf } from '../../replay/when/surroundings.js';
import { openStore } from '../../store/index.js';
import { must } from '../store/given.js';
import { imported, newDesk, recordingsOf, type Desk } from '../traces/recordings.js';
import { asGiven, logOf, numbered, write } from './given.js';

/** By the definition: asked after every event. */
const asked = (trace: TraceView, text: string, from: number, to: number): number | null => {
  const expression = must(parseExpression(text));
  const around = must(surroundingsOf(trace, expression, to));
  const fold = folder(must(trace.at(from)));
  for (const batch of trace.batches({ from, to }))
    for (const event of must(batch)) {
      fold.apply(event);
      if (evaluate(expression, { ...fold.memory(), seq: event.seq }, around) === true) return event.seq;
    }
  return null;
};

const found = (trace: TraceView, text: string, options: BisectOptions = {}): Bisected =>
  must(bisect(trace, text, options));

const PAGE = 500;
const mapped = (page: number, prot: number) =>
  ({ kind: 'mapped', page, pages: 1, shift: 12, prot, frame: page + 7 }) as const;
const permission = (page: number, set: number, clear: number) =>
  ({ kind: 'permission', space: 0, page, pages: 1, set, clear }) as const;

describe('bisect', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  for (const path of recordingsOf(/^(5\.10-S3|5\.18-rc3-S8|6\.12-S1)$/))
    it(`finds what asking after every event finds: ${basename(path)}`, async () => {
      const store = must(openStore(join(desk.folder, `${basename(path)}.db`)));
      const { report } = await imported(store, path);
      const replayed = must(logOn(store).trace(report.trace));
      const events = Array.from(replayed.batches({ from: 0 }), must).flat();
      const small = must(openStore(join(desk.folder, `${basename(path)}-tables.db`), derivedTables()));
      const { meta } = replayed.info;
      write(small, events, { name: report.trace, meta, given: must(replayed.given()), size: 61 });
      must(must(small.trace(report.trace)).finish(replayed.info.summary ?? {}));
      const indexed = must(logOn(small).trace(report.trace));
      const chance = random(4);
      const { programs, packs } = must(livesIn(replayed));
      const memory = must(replayed.at(Math.floor(events.length / 2)));
      const pages = Array.from(PageTable.pages(memory.virtual), ([page]) => pageText(page));
      const some = <T>(list: readonly T[]): T => list[chance.below(list.length)] as T;
      let hits = 0;
      for (let i = 0; i < 24; i++) {
        const page = some(pages);
        const program = `prog("program:${some(programs).number}")`;
        const pack = packs.length === 0 ? '0x1000' : pageText(some(packs).start);
        const text = [
          `page(${page}).x`,
          `page(${page}).x && !page(${page}).w || alias(${page}).level == 1`,
          `page(${page}).class == "program"`,
          `!page(${page}).mapped && area(${page}).state == "lazy"`,
          `${program}.state == "freed"`,
          `${program}.len > 100 && page(${page}).mapped`,
          `pack(${pack}).used > ${chance.below(5000)}`,
          `programs > ${chance.below(6)} && level2_splits + level3_splits >= 0`,
          `charged > ${chance.below(20_000)} || lost > 0`,
          `symbol("${some(programs).symbols.at(-1) ?? 'none'}")`,
          `!invariant("I2") && unknown == 0`,
          `!invariant("I1")`,
        ][i % 12] as string;
        const from = i < 12 ? 0 : chance.below(events.length);
        const expected = asked(replayed, text, from, events.length);
        const byIndex = found(indexed, text, { from });
        if (byIndex.outcome === 'already') continue;
        const scanned = found(replayed, text, { from });
        if (expected !== null) hits++;
        expect(byIndex.event?.seq ?? null, `${text} from ${from}`).to.equal(expected);
        expect(scanned.event?.seq ?? null, `${text} from ${from}`).to.equal(expected);
        expect(scanned.way).to.equal('scan');
        expect(byIndex.way).to.equal(/pack|programs|charged|symbol|unknown/.test(text) ? 'scan' : 'index');
        expect(byIndex.parts).to.deep.equal(scanned.parts);
        expect(byIndex.parts[0]?.after).to.equal(expected === null ? byIndex.parts[0]?.after : true);
      }
      expect(hits).to.be.greaterThan(5);
    });

  it('searches by halves where it is told to, and checks both ends', () => {
    const facts = [
      mapped(PAGE, 3),
      ...Array.from({ length: 40 }, (_, i) => mapped(1000 + i, 3)),
      permission(PAGE, 4, 0),
      ...Array.from({ length: 21 }, (_, i) => mapped(2000 + i, 3)),
    ];
    const trace = must(logOf(numbered(facts), { size: 5, meta: { source: 'emulation' } }).trace('t'));
    const when = `page(0x${PAGE.toString(16)}000).x`;
    const halves = found(trace, when, { monotone: true });
    expect(halves).to.include({ way: 'bisection', outcome: 'becomes' });
    expect(halves.event?.seq).to.equal(42);
    expect(halves.asked).to.be.lessThan(10);
    expect(halves.parts).to.deep.equal([{ text: when, before: false, after: true }]);
    expect(JSON.parse(JSON.stringify(bisectJson(halves)))).to.deep.include({
      outcome: 'becomes',
      way: 'bisection',
      unknown_since: null,
    });
    const wrong = bisect(trace, when, { monotone: true, to: 10 });
    expect(wrong.ok ? null : wrong.error.code).to.equal('not-monotone');
    expect(found(trace, when, { from: 50 })).to.include({ outcome: 'already', event: null });
    expect(found(trace, when, { to: 10 })).to.include({ outcome: 'never', event: null });
    const backwards = bisect(trace, when, { from: 10, to: 5 });
    expect(backwards.ok ? null : backwards.error.code).to.equal('bad-range');
  });

  it('says that it is not known where it is not', () => {
    const facts = [
      mapped(PAGE, 3),
      { kind: 'forgotten', page: PAGE, pages: 1, why: 'a test' } as const,
      mapped(9, 3),
    ];
    const trace = must(logOf(numbered(facts), { given: asGiven(numbered([mapped(8, 3)])) }).trace('t'));
    const unknown = found(trace, `page(0x${PAGE.toString(16)}000).x`);
    expect(unknown).to.include({ outcome: 'unknown', unknownSince: 2 });
    expect(unknown.parts[0]?.after).to.equal(null);
  });

  it('takes nothing for absent where events were lost or the beginning is not known', () => {
    const lost = { kind: 'gap', lost: 3, why: 'a test' } as const;
    const trace = must(
      logOf(numbered([mapped(PAGE, 3), lost, mapped(9, 3), permission(PAGE, 0, 2)])).trace('t'),
    );
    const at = `page(0x${PAGE.toString(16)}000)`;
    for (const [when, outcome, since, event] of [
      [`!${at}.w`, 'becomes', 0, 4],
      [`${at}.w`, 'becomes', 0, 1],
      ['area(0x1000).state == "live"', 'unknown', 0, null],
      ['programs > 5', 'unknown', 0, null],
      ['symbol("nothing")', 'unknown', 0, null],
      ['lost == 3', 'becomes', null, 2],
    ] as const) {
      const result = found(trace, when);
      expect([result.outcome, result.unknownSince, result.event?.seq ?? null], when).to.deep.equal([
        outcome,
        since,
        event,
      ]);
    }
    expect(found(trace, `!${at}.w`, { from: 1, to: 3 })).to.include({ outcome: 'unknown', unknownSince: 2 });
  });

  it('names what is not in the trace', () => {
    const trace = must(logOf(numbered([mapped(PAGE, 3)])).trace('t'));
    for (const [text, code] of [
      ['prog("p9").state == "live"', 'no-such-subject'],
      ['prog("0x1000").state == "live"', 'bad-expression'],
      ['invariant("I99")', 'bad-expression'],
    ] as const) {
      const result = bisect(trace, text);
      expect(result.ok ? null : result.error.code, text).to.equal(code);
    }
  });
});
