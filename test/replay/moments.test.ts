import { expect } from 'chai';
import { parseMoment, parseWhere, whereText } from '../../replay/moments.js';
import type { TraceView } from '../../replay/log.js';
import { must } from '../../replay/failed.js';
import type { Fact } from '../../core/event/event.js';
import type { Failure, Result } from '../../core/value/failure.js';
import { logOf, numbered } from './given.js';

const marker = (text: string): Fact => ({ kind: 'marker', text });
const other: Fact = { kind: 'noted', event: 'e', body: '' };

const failure = (result: Result<unknown>): Failure => {
  if (result.ok) throw new Error(`no failure but ${JSON.stringify(result.value)}`);
  return result.error;
};

describe('a moment', () => {
  it('is read from its text', () => {
    expect(must(parseMoment('t@42'))).to.deep.equal({ trace: 't', where: { kind: 'event', seq: 42 } });
    expect(must(parseMoment('t'))).to.deep.equal({ trace: 't', where: { kind: 'end' } });
    expect(must(parseMoment('t@'))).to.deep.equal({ trace: 't', where: { kind: 'end' } });
    expect(must(parseMoment('a b#c@#x@y'))).to.deep.equal({
      trace: 'a b#c',
      where: { kind: 'marker', text: 'x@y' },
    });
    expect(must(parseWhere('6.817602s'))).to.deep.equal({ kind: 'time', ns: 6_817_602_000n });
    expect(must(parseWhere('7s'))).to.deep.equal({ kind: 'time', ns: 7_000_000_000n });
  });

  for (const text of ['42', '#loaded8', '6.817602s', '0.000000001s', 'start', 'end'])
    it(`is written as it is read: ${text}`, () => {
      expect(whereText(must(parseWhere(text)))).to.equal(text);
    });

  for (const text of ['-1', '4.2', '#', 'begin', '1e3', '6.8176020001s', '99999999999999999999', '0x12'])
    it(`is not ${text}`, () => {
      const error = failure(parseWhere(text));
      expect(error.code).to.equal('bad-moment');
      expect(error.hint).to.include('#MARKER');
    });

  it('has a trace', () => {
    expect(failure(parseMoment('@12')).code).to.equal('bad-moment');
  });
});

describe('a moment of a trace', () => {
  let trace: TraceView;
  before(() => {
    const facts: readonly Fact[] = [
      marker('phase: start'),
      other,
      marker('phase: loaded8'),
      marker('op 1: load'),
      marker('phase: again'),
      other,
      marker('phase: again'),
      marker('odd:2'),
      marker('phase: loaded80'),
      other,
    ];
    trace = must(logOf(numbered(facts), { size: 3, meta: { origin: '6000000000' } }).trace('t'));
  });

  const found: readonly (readonly [where: string, seq: number])[] = [
    ['start', 0],
    ['end', 10],
    ['0', 0],
    ['4', 4],
    ['#phase: start', 1],
    ['#start', 1],
    ['#loaded8', 3],
    ['#loaded80', 9],
    ['#op', 4],
    ['#phase: loaded80', 9],
    ['#again:1', 5],
    ['#again:2', 7],
    ['#odd:2', 8],
    ['#odd', 8],
    ['#op 1: load:1', 4],
    ['6s', 1],
    ['6.000001s', 2],
    ['6.0000015s', 2],
    ['6.000008999s', 9],
    ['6.000009s', 10],
    ['7s', 10],
  ];
  for (const [where, seq] of found)
    it(`${where} is after event ${seq}`, () => {
      expect(must(trace.find(where)).seq).to.equal(seq);
    });

  it('that a marker names twice is refused, both events listed', () => {
    const error = failure(trace.find('#again'));
    expect(error.code).to.equal('ambiguous-moment');
    expect(error.what).to.include('twice').and.include('events 5 and 7');
    expect(error.hint).to.include('#again:2');
  });

  it('that fits several markers is refused with their names', () => {
    const error = failure(trace.find('#loa'));
    expect(error.code).to.equal('ambiguous-moment');
    expect(error.what).to.include('"loaded8" (event 3) and "loaded80" (event 9)');
  });

  it('of a marker that is not there names near ones', () => {
    const error = failure(trace.find('#loded8'));
    expect(error.code).to.equal('no-such-marker');
    expect(error.hint).to.equal('did you mean #loaded8 or #loaded80?');
    expect(failure(trace.find('#again:3')).what).to.include('occurs 2 times');
  });

  it('beyond the end is refused', () => {
    expect(failure(trace.find('11'))).to.include({ code: 'no-such-event', hint: 'it has 1 to 10' });
    expect(failure(trace.find(12)).code).to.equal('no-such-event');
  });

  it('before the first event is refused', () => {
    const error = failure(trace.find('5.999999999s'));
    expect(error.code).to.equal('before-trace');
    expect(error.hint).to.include('6.000000s').and.include('t@start');
  });

  it('by time needs a trace that says when it began', () => {
    const timeless = must(logOf(numbered([other])).trace('t'));
    expect(failure(timeless.find('6s')).code).to.equal('no-times');
  });

  it('of a log names its trace', () => {
    const log = logOf(numbered([marker('x')]));
    expect(must(log.moment('t@#x')).moment).to.deep.equal({ trace: 't', seq: 1 });
    expect(failure(log.moment('u@#x')).code).to.equal('no-such-trace');
  });
});
