import { expect } from 'chai';
import { x86_64 } from '../../core/arch/x86_64.js';
import { eventOf, type Fact } from '../../core/event/event.js';
import { Origin } from '../../core/event/kind.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { v6_1 } from '../../core/profile/profile.js';
import { compareMoment, type MomentFigures } from '../../traces/conform/compare.js';
import { givenFacts } from '../../traces/import/given.js';
import { must } from '../store/given.js';
import { captureOf, recordingsOf } from './recordings.js';

const capture = captureOf(recordingsOf(/^6\.1-S1$/)[0] as string);
const dumpOf = (name: string) =>
  must(capture.dump(capture.phases.find((phase) => phase.name === name) ?? missing(name)));
const missing = (name: string): never => {
  throw new Error(`no phase ${name}`);
};
const dump = dumpOf('loaded8');

/** Memory after the facts of a dump, and others behind it. */
const after = (facts: readonly Fact[], ...more: readonly Fact[]): Memory =>
  evolveAll(
    nothing,
    [...facts.map((fact) => [0, fact] as const), ...more.map((fact, i) => [i + 1, fact] as const)].map(
      ([seq, fact]) => eventOf({ seq, time: 0, cpu: 0, task: '', call: 0, origin: Origin.observed }, fact),
    ),
  );

const facts = givenFacts(dump, x86_64, v6_1);
const lost: Fact = { kind: 'gap', lost: 3, why: 'lost' };

interface How {
  readonly given?: boolean;
  readonly absent?: readonly string[];
  readonly lossy?: boolean;
}
const compared = (memory: Memory, how: How = {}): MomentFigures =>
  compareMoment('loaded8', { memory, dump, arch: x86_64, profile: v6_1, given: true, ...how });

const kinds = ({ differences }: MomentFigures): string[] =>
  [...new Set(differences.map(({ what }) => what))].sort();

/** Everything that is checked is equal, unknown or different; nothing is passed over. */
const expectCounted = (m: MomentFigures): void => {
  expect(m.symbols_equal + m.symbols_unknown).to.be.at.most(m.symbols_checked);
  const wrong = (what: string): number => m.differences.filter((d) => d.what === what).length;
  if (m.differences_total > m.differences.length) return;
  expect(m.pages_equal + m.pages_unknown + wrong('page'), 'pages').to.equal(m.pages_checked);
  expect(m.areas_equal + m.areas_unknown + wrong('area'), 'areas').to.equal(m.areas_checked);
  expect(m.symbols_equal + m.symbols_unknown + wrong('symbol'), 'symbols').to.equal(m.symbols_checked);
  expect(m.splits_equal + m.splits_unknown + wrong('splits'), 'splits').to.equal(m.splits_checked);
};

describe('a memory compared with a dump', () => {
  it('is equal to what it was made of', () => {
    const found = compared(after(facts));
    expect(found.differences).to.deep.equal([]);
    expectCounted(found);
  });

  it('differs in each page, area and symbol that it lacks, and says how many differ', () => {
    const found = compared(nothing);
    expect(found.differences).to.have.length(100);
    expect(found.differences_total).to.be.above(500);
    expect(kinds(compared(after(facts.filter(({ kind }) => kind !== 'mapped'))))).to.include('page');
    const bare = compared(after(facts.filter(({ kind }) => kind !== 'area-allocated')));
    expect(kinds(bare)).to.deep.equal(['area']);
    expectCounted(bare);
    expect(kinds(compared(after(facts.filter(({ kind }) => kind !== 'published'))))).to.deep.equal([
      'symbol',
    ]);
  });

  it('does not know what it lacks where it began without a dump, or without that file', () => {
    const bare = compared({ ...nothing, charged: null }, { given: false });
    expect(bare.differences_total).to.equal(0);
    expect(bare.symbols_unknown).to.be.above(0);
    expect(bare.areas_unknown).to.be.above(0);
    expectCounted(bare);
    const withoutSymbols = after(facts.filter(({ kind }) => kind !== 'published'));
    expect(compared(withoutSymbols, { absent: ['kallsyms.txt'] }).differences).to.deep.equal([]);
  });

  it('does not know what it lacks once events were lost', () => {
    const lacks = facts.filter(
      (fact) => !(fact.kind === 'published' || fact.kind === 'area-allocated' || fact.kind === 'mapped'),
    );
    const found = compared(after(lacks, lost));
    expect(found.differences).to.deep.equal([]);
    expect(found.pages_unknown).to.equal(found.pages_checked);
    expect(found.splits_unknown).to.equal(found.splits_checked).and.to.be.above(0);
    expectCounted(found);
  });

  const area: Fact = { kind: 'area-allocated', start: 0xfffffffffe000, pages: 3, flags: 0, caller: '' };
  const symbol: Fact = {
    kind: 'published',
    program: 0,
    start: dump.symbols[0]?.address ?? missing('symbol'),
    end: dump.symbols[0]?.address ?? missing('symbol'),
    name: 'bpf_prog_0123456789abcdef_gone',
    id: 0,
    ksym: { hi: 0, lo: 1 },
  };

  it('has what may have gone among the lost events, and differs in what came after them', () => {
    const older = compared(after(facts, area, symbol, lost));
    expect(older.differences).to.deep.equal([]);
    expect([older.areas_unknown, older.symbols_unknown]).to.deep.equal([1, 1]);
    expectCounted(older);
    const younger = compared(after(facts, lost, area, symbol));
    expect(kinds(younger)).to.deep.equal(['area', 'symbol']);
    expectCounted(younger);
  });

  it('differs nowhere while events may be missing of which it does not know', () => {
    const other = dumpOf('start');
    const found = compared(after(givenFacts(other, x86_64, v6_1), area, symbol), { lossy: true });
    expect(found.differences).to.deep.equal([]);
    expect(found.symbols_unknown).to.be.above(1);
    expect(found.bytes_unknown).to.be.above(0);
    expectCounted(found);
    expect(compared(after(givenFacts(other, x86_64, v6_1), area, symbol)).differences_total).to.be.above(0);
  });
});
