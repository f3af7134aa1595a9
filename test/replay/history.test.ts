import { expect } from 'chai';
import type { Fact } from '../../core/event/event.js';
import type { Failure, Result } from '../../core/value/failure.js';
import { callsAround } from '../../replay/calls.js';
import { Address } from '../../core/value/address.js';
import { must } from '../../replay/failed.js';
import { clockOf } from '../../replay/clock.js';
import { history, historyJson, lastChange, type HistoryItem } from '../../replay/history.js';
import { historyLines, whyLines } from '../../replay/historyLines.js';
import type { TraceView } from '../../replay/log.js';
import { shownDiff } from '../../replay/shownDiff.js';
import { livesIn, subjectAt, subjectOf, subjectText } from '../../replay/subjects.js';
import { why, whyJson } from '../../replay/why.js';
import { asGiven, capturesNamed, importedCapture, logOf, numbered } from './given.js';

const failure = (result: Result<unknown>): Failure => {
  if (result.ok) throw new Error('no failure');
  return result.error;
};

const all = (trace: TraceView, what: string): readonly HistoryItem[] =>
  Array.from(history(trace, must(subjectOf(trace, what))), must);

const prots = (items: readonly HistoryItem[]): readonly string[] =>
  items.flatMap(({ mappings }) => mappings.map(({ from, to }) => `${from?.prot ?? ''}>${to?.prot ?? ''}`));

const [s8] = capturesNamed(/-5\.18-rc3-S8/);
const PACK = '0xffffffffa0600000';

(s8 === undefined ? describe.skip : describe)('the history of a recording', () => {
  let trace: TraceView;
  before(async () => {
    trace = (await importedCapture(s8 ?? '')).view;
  });

  it('of a page tells its permissions, its alias and what lay in it', () => {
    const items = all(trace, PACK);
    expect(prots(items)).to.deep.equal(['>rw-', 'rw->r--', 'r-->r--', 'r-->r-x', 'r-x>']);
    const aliases = items.flatMap(({ direct_map }) =>
      direct_map.map(({ to }) => `${to?.prot} ${to?.page_size}`),
    );
    // Known with its first alias step, split when the pack is freed, taken away, given back.
    expect(aliases).to.deep.equal([
      'rw- null',
      'rw- 2097152',
      'r-- 2097152',
      'r-- 2097152',
      'r-- 4096',
      '--- 4096',
      'rw- 4096',
    ]);
    const content = items.flatMap(({ content: ranges }) => ranges.map(({ from, to }) => `${from}>${to}`));
    expect(content.slice(0, 2)).to.deep.equal(['not mapped>leftover', 'leftover>program']);
    expect(content).to.include('program>leftover');
  });

  it('tells the calls around each change and the marker before it', () => {
    const item = all(trace, PACK).find(({ mappings }) => mappings[0]?.to?.prot === 'r-x');
    expect(item?.calls.map(({ fn }) => fn).slice(-4)).to.deep.equal([
      'set_memory_x',
      'bpf_prog_pack_alloc',
      'bpf_jit_binary_pack_alloc',
      'bpf_int_jit_compile',
    ]);
    expect(item?.marker?.text).to.match(/^op 2: load/);
    expect(item?.phase?.text).to.equal('phase: start');
    const text = historyLines(item as HistoryItem, clockOf(trace)).join('\n');
    expect(text).to.include('r-- 2M → r-x 2M').and.include('set_memory_x ← bpf_prog_pack_alloc');
    expect(JSON.parse(JSON.stringify(historyJson(item as HistoryItem)))).to.include({ kind: 'permission' });
  });

  it('of a program begins with its memory and ends when that is given back', () => {
    for (const name of ['p3_400', '45bcf74f128eb80c', '2', 'bpf_prog_45bcf74f128eb80c_p3_400']) {
      const items = all(trace, name);
      expect(items.map(({ event }) => event.kind)).to.deep.equal([
        'program-allocated',
        'copied',
        'program-finalized',
        'program-placed',
        'published',
        'unpublished',
        'program-freed',
      ]);
      expect(items.at(-1)?.content).to.deep.equal([
        { start: '0xffffffffa06006c0', bytes: 1728, from: 'program', to: 'leftover' },
      ]);
    }
  });

  it('of an address inside a page leaves out what happened to other programs in the page', () => {
    const [p3] = all(trace, 'p3_400');
    const { event } = p3 as HistoryItem;
    const chunk = event.kind === 'program-allocated' ? event.chunk : Address.zero;
    // Its second block; the page holds parts of other programs, too.
    const inside = Address.toText(Address.add(chunk, 64));
    const items = all(trace, inside);
    expect(prots(items)).to.deep.equal(prots(all(trace, PACK)));
    const words = items.flatMap(({ life }) => life).join('\n');
    expect(words).to.include('p3_400: freed').and.not.include('p2_400');
    expect(
      items.flatMap(({ content }) => content.map(({ bytes }) => bytes)).every((bytes) => bytes === 64),
    ).to.equal(true);
    expect(
      all(trace, PACK)
        .flatMap(({ life }) => life)
        .join('\n'),
    )
      .to.include('p2_400')
      .and.include('p3_400');
  });

  it('of an address tells of a program that begins on the page before', () => {
    const lives = must(livesIn(trace)).programs;
    const long = lives.find(({ chunk, bytes }) => Address.add(chunk, bytes - 1).page > chunk.page);
    const end = Address.add(long?.chunk ?? Address.zero, (long?.bytes ?? 1) - 1);
    const kinds = all(trace, Address.toText(end)).map((item) => item.event.kind);
    expect(kinds).to.include.members(['program-allocated', 'published', 'program-freed']);
  });

  it('says of a program when it comes and when it is gone', () => {
    const subject = must(subjectOf(trace, 'p3_400'));
    const { from, to } = subject;
    expect(subjectAt(subject, from - 1)).to.match(/ \(not before event \d+\)$/);
    expect(subjectAt(subject, from)).to.equal(subjectText(subject));
    expect(subjectAt(subject, to ?? 0)).to.match(/ \(gone since event \d+\)$/);
  });

  it('of a pack tells its chunks', () => {
    const items = all(trace, 'pack:1');
    expect(items.filter(({ taken }) => taken.length > 0)).to.have.length(20);
    expect(items.filter(({ freed }) => freed.length > 0)).to.have.length(20);
    expect(items[0]?.life).to.deep.equal(['pack put on the list']);
    expect(items.at(-1)?.life).to.deep.equal(['pack taken off the list']);
    expect(all(trace, `pack:${PACK}`)).to.deep.equal(items);
  });

  it('is what the states before and after say', () => {
    for (const { event, mappings } of all(trace, PACK)) {
      if (mappings.length === 0) continue;
      const whole = shownDiff(must(trace.at(event.seq - 1)), must(trace.at(event.seq))).mappings;
      expect(whole.some(({ start }) => start === mappings[0]?.start)).to.equal(true);
    }
  });

  it('ends with the last change before a moment', () => {
    const subject = must(subjectOf(trace, PACK));
    const items = all(trace, PACK);
    expect(must(lastChange(trace, subject))?.event).to.deep.equal(items.at(-1)?.event);
    const at = items[3]?.event.seq ?? 0;
    expect(must(lastChange(trace, subject, at))?.event.seq).to.equal(at);
    expect(must(lastChange(trace, subject, at - 1))?.event.seq).to.equal(items[2]?.event.seq);
    expect(must(lastChange(trace, subject, 'start'))).to.equal(null);
  });

  it('goes on from a moment', () => {
    const subject = must(subjectOf(trace, PACK));
    const from = trace.info.events - 1;
    expect([...history(trace, subject, { from })].map((item) => item.ok)).to.deep.equal([]);
    const later = Array.from(history(trace, subject, { from: '#loaded20' }), must);
    const whole = all(trace, PACK).filter(({ event }) => event.seq > must(trace.find('#loaded20')).seq);
    expect(later.map(({ event }) => event.seq)).to.deep.equal(whole.map(({ event }) => event.seq));
  });

  it('says why a page is as it is', () => {
    const found = must(why(trace, PACK, '#loaded20'));
    expect(found.page).to.include({ prot: 'r-x', page_size: 2097152, phys: '0x0000000007200000' });
    expect(found.page?.cause.around?.calls.some(({ fn }) => fn === 'set_memory_x')).to.equal(true);
    expect(found.alias).to.include({ prot: 'r--' });
    expect(found.alias?.cause.around?.calls.some(({ fn }) => fn === 'cpa_process_alias')).to.equal(true);
    expect(found.content?.is).to.equal('image of bpf_prog_ee1829cb0f609b17_p2_400');
    expect(found.content?.cause.event?.kind).to.equal('copied');
    const text = whyLines(found, clockOf(trace)).join('\n');
    expect(text).to.include('Mapped r-x, 2M page').and.include('← marker op 2: load slot=0');
    expect(JSON.parse(JSON.stringify(whyJson(found)))).to.have.nested.property('page.cause.calls');
  });

  it('says what unmapped a page that is gone', () => {
    const found = must(why(trace, PACK));
    expect(found.page).to.equal(null);
    expect(found.gone).to.not.equal(null);
    expect(whyLines(found, clockOf(trace)).join('\n')).to.include('Not mapped. Its last change:');
  });
});

describe('causes', () => {
  const page = 0xffffffffc0000;
  const address = '0xffffffffc0000000';
  const mapped: Fact = { kind: 'mapped', page, pages: 2, shift: 12, prot: 11, frame: 0x100 };
  it('end with the starting dump', () => {
    const trace = must(
      logOf(numbered([{ kind: 'charged', bytes: 1 }]), { given: asGiven(numbered([mapped])) }).trace('t'),
    );
    const found = must(why(trace, address));
    expect(found.page?.cause).to.deep.include({ event: null });
    expect(found.page?.cause.ends).to.include('starting dump');
  });

  it('end with a gap', () => {
    const trace = must(
      logOf(numbered([mapped, { kind: 'forgotten', page, pages: 2, why: 'CPU 1 lost 9 events' }])).trace('t'),
    );
    const found = must(why(trace, address));
    expect(found.page?.prot).to.equal('???');
    expect(found.page?.cause.ends).to.equal('nothing is known since event 2: CPU 1 lost 9 events');
  });

  it('end with what is taken for granted of the direct map', () => {
    const trace = must(logOf(numbered([mapped])).trace('t'));
    expect(must(why(trace, address)).alias?.cause.ends).to.include('as the kernel maps all memory');
    expect(must(why(trace, address)).page?.cause.ends).to.equal(null);
  });

  it('are none of a page that nothing is known of', () => {
    const trace = must(logOf(numbered([mapped])).trace('t'));
    const found = must(why(trace, '0xffffffffc0005000'));
    expect(found).to.include({ page: null, alias: null, content: null, gone: null });
    expect(whyLines(found, clockOf(trace)).join(' ')).to.include('Nothing is known');
  });

  it('are not known of a page that holds a program and was never seen mapped', () => {
    const trace = must(logOf(numbered(program(1, page, 'bpf_prog_0123456789abcdef_x', 3))).trace('t'));
    const found = must(why(trace, address));
    expect(found).to.include({ page: null, gone: null });
    const text = whyLines(found, clockOf(trace)).join('\n');
    expect(text)
      .to.include('How this page is mapped is not known: programs lie here')
      .and.not.include('Not mapped');
  });

  it('of an event in a damaged tree of calls are a failure, not a loop', () => {
    const events = numbered([mapped, mapped]).map((event) => Object.assign({}, event, { call: 2 }));
    const trace = must(logOf(events).trace('t'));
    expect(failure(callsAround(trace, must(trace.event(1)))).code).to.equal('damaged');
    expect(failure(callsAround(trace, must(trace.event(2)))).code).to.equal('damaged');
  });
});

const program = (number: number, at: number, name: string, id: number): readonly Fact[] => [
  {
    kind: 'program-allocated',
    program: number,
    pointer: { hi: 1, lo: number },
    chunk: { page: at as never, offset: 0 },
    bytes: 128,
    proglen: 9,
    type: 'program',
  },
  {
    kind: 'published',
    program: number,
    start: { page: at as never, offset: 8 },
    end: { page: at as never, offset: 99 },
    name,
    id,
    ksym: { hi: 1, lo: 1 },
  },
];

describe('what is asked about', () => {
  let trace: TraceView;
  before(() => {
    trace = must(
      logOf(
        numbered([
          { kind: 'pack-created', start: 500, bytes: 8192, partial: 0 },
          ...program(2, 500, 'bpf_prog_0123456789abcdef_one', 7),
          ...program(4, 501, 'bpf_prog_fedcba9876543210_two', 8),
          { kind: 'program-freed', program: 4 },
          ...program(7, 501, 'bpf_prog_fedcba9876543210_two', 9),
          { kind: 'pack-removed', start: 500 },
        ]),
      ).trace('t'),
    );
  });

  for (const [text, meant] of [
    ['0x1f4123', '0x00000000001f4123 and its page'],
    ['0x1f4000', 'page of 0x00000000001f4000'],
    ['0123456789abcdef', 'program bpf_prog_0123456789abcdef_one, 0x00000000001f4000 to 0x00000000001f4080'],
    ['one', 'program bpf_prog_0123456789abcdef_one, 0x00000000001f4000 to 0x00000000001f4080'],
    ['7', 'program bpf_prog_0123456789abcdef_one, 0x00000000001f4000 to 0x00000000001f4080'],
    ['program:7', 'program bpf_prog_fedcba9876543210_two, 0x00000000001f5000 to 0x00000000001f5080'],
    ['ffffffffc0000000', 'page of 0xffffffffc0000000'],
    ['pack:1', 'pack, 0x00000000001f4000 to 0x00000000001f6000'],
    ['pack:0x1f5000', 'pack, 0x00000000001f4000 to 0x00000000001f6000'],
  ] as const)
    it(`${text} is ${meant}`, () => {
      expect(subjectText(must(subjectOf(trace, text)))).to.equal(meant);
    });

  it('must be one program', () => {
    const error = failure(subjectOf(trace, 'two'));
    expect(error.code).to.equal('ambiguous-subject');
    expect(error.what).to.include('program:4').and.include('program:7').and.include('id 9');
  });

  it('must be there', () => {
    expect(failure(subjectOf(trace, 'three')).code).to.equal('no-such-subject');
    expect(failure(subjectOf(trace, 'pack:2'))).to.deep.include({
      code: 'no-such-pack',
      hint: 'it has pack:0x00000000001f4000',
    });
  });

  it('has a history within its life only', () => {
    const items = all(trace, 'program:4');
    expect(items.map(({ event }) => event.seq)).to.deep.equal([4, 5, 6]);
  });
});
