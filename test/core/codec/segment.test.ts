import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodeSegment, decodeUpTo } from '../../../core/codec/decode.js';
import { encodeSegment } from '../../../core/codec/encode.js';
import { gather } from '../../../core/codec/gather.js';
import { headOf } from '../../../core/codec/head.js';
import { MAX_EVENTS } from '../../../core/codec/layout.js';
import { putCalls } from '../../../core/codec/nesting.js';
import { newOutput } from '../../../core/codec/output.js';
import { KINDS, type Event, type EventKind } from '../../../core/event/event.js';
import { Address } from '../../../core/value/address.js';
import { churn } from '../../../bench/churn.js';
import { anySegment, eventOfKind, numbered } from './arbitrary.js';
import { decoded, event } from './given.js';

const roundTrip = (events: readonly Event[]): void => {
  expect(decoded(encodeSegment(events))).to.deep.equal(events);
};

const gap = (seq: number): Event =>
  event('gap', { lost: seq % 7, why: 'overrun' }, { seq, time: (seq % 1e6) * 1000 });
const gaps = (count: number, first = 1): Event[] => Array.from({ length: count }, (_, i) => gap(first + i));

const setMemoryRo = (i: number): Event =>
  event(
    i % 2 ? 'returned' : 'entered',
    {
      fn: 'set_memory_ro',
      place: 'x',
      names: 'addr,numpages',
      values: { hi: [0xffffffff, 0], lo: [(i * 4096) >>> 0, i % 5], texts: null },
    },
    { seq: i + 1, call: i },
  );

/** How many calls are not as predicted. */
const exceptions = (own: readonly Event[]): number | undefined => {
  const out = newOutput(1);
  const gathered = gather(own);
  putCalls(out, { ...gathered, gapless: true }, own.length, gathered.texts.size);
  return out.bytes[0];
};

/** Two events, byte by byte as docs/events.md has it. When these change, so does FORMAT. */
const GOLDEN = [
  '01 00 07 02', // format, flags, first seq, events
  '05', // texts
  '0b 77 6f 72 6b 6c 6f 61 64 2d 38 34', // 0 workload-84
  '01 66', // 1 f
  '00', // 2
  '01 61', // 3 a
  '05 70 68 61 73 65', // 4 phase
  '02 01 01 3c 01', // kinds: entered 1, marker 1
  '02 01 01 02 03 01 00 3c', // shapes: entered f with one value, marker
  '00 01 02', // shape of each event
  '00 b8 17 00 02', // times: 0, then 1 × 3000
  '00 00 00 00 00 00 00 00 00', // cpu, task, origin
  '00', // every call as predicted
  '06 00 02 01 00 0a 00', // call lines: way near; one difference, +5; nothing far
  '00', // entered has no other columns
  '02 00 04', // marker: text 4
];

describe('a segment', () => {
  it('is read up to an event, with the time of the last one whether it is wanted or not', () => {
    fc.assert(
      fc.property(anySegment, fc.nat(60), (any, beyond) => {
        const events = numbered(any, 7);
        const last = (events[0] as Event).seq - 1 + beyond;
        const part = events.filter(({ seq }) => seq <= last);
        const bytes = encodeSegment(events);
        const time = part.at(-1)?.time ?? 0;
        expect(decodeUpTo(bytes, last)).to.deep.equal({ ok: true, value: { events: part, time } });
        expect(decodeUpTo(bytes, last, { only: new Set() })).to.deep.equal({
          ok: true,
          value: { events: [], time },
        });
      }),
    );
  });

  for (const kind of KINDS) {
    it(`gives back any ${kind.kind}`, () => {
      fc.assert(
        fc.property(fc.array(eventOfKind(kind), { minLength: 1, maxLength: 20 }), (events) => {
          roundTrip(events);
          roundTrip(numbered(events, 7));
        }),
        { numRuns: 60 },
      );
    });
  }

  it('gives back events of all kinds together', () => {
    fc.assert(fc.property(anySegment, roundTrip), { numRuns: 400 });
  });

  it('gives back 4096 events, and one', () => {
    roundTrip(gaps(MAX_EVENTS));
    roundTrip(gaps(1, Number.MAX_SAFE_INTEGER));
  });

  it('gives back the largest values, next to the smallest', () => {
    const page = 2 ** 52 - 1;
    const max = Number.MAX_SAFE_INTEGER;
    const hi = 0xffffffff;
    const at = [Address.of(page, 4095), Address.zero];
    roundTrip([
      ...[page, 0, page].map((own) => event('area-freed', { start: own }, { time: own, call: own })),
      ...[max, -max, max - 1, 1 - max].map((bytes) => event('charged', { bytes }, { seq: max, time: max })),
      ...at.map((own) => event('copied', { to: own, length: max, what: '', way: 'poke' })),
      ...[hi, 0, hi].map((half) =>
        event('returned', {
          fn: 'f',
          place: '',
          names: 'a,b',
          values: { hi: [half, hi - half], lo: [hi - half, half], texts: null },
        }),
      ),
      ...[hi, 0].map((half) => event('bases-learned', { direct: page, vmemmap: { hi: half, lo: half } })),
    ]);
  });

  it('gives back texts of every kind and length', () => {
    const texts = [
      '',
      ' ',
      '\0',
      'é',
      '€',
      '𝄞',
      '\ud834',
      '\udd1e',
      '\udd1e\ud834',
      'ab\ud834',
      'x'.repeat(100_000),
    ];
    texts.push('𝄞€é\0'.repeat(5_000), 'y'.repeat(4_097));
    roundTrip(texts.map((text) => event('marker', { text }, { task: text })));
    roundTrip(
      texts.map((text) =>
        event('entered', {
          fn: text,
          place: text,
          names: text,
          values: { hi: [0, 0], lo: [0, 1], texts: [text, null] },
        }),
      ),
    );
  });

  it('gives back times that go backwards', () => {
    const times = [9_000, 3_000, 3_001, 0, Number.MAX_SAFE_INTEGER];
    roundTrip(times.map((time) => event('marker', { text: '' }, { time })));
  });

  it('gives back every call line of a long row of like ones', () => {
    roundTrip(Array.from({ length: 3000 }, (_, i) => setMemoryRo(i)));
  });

  it('gives back calls in calls, and what they changed', () => {
    roundTrip(churn(MAX_EVENTS).slice(0, MAX_EVENTS));
    roundTrip(churn(3000).slice(1234, 2345));
  });

  it('gives back call lines of a few shapes in any order', () => {
    const some = fc.constantFrom('f', 'g');
    const value = fc.constantFrom(0, 1, 0xffffffff);
    const values = fc.array(value, { maxLength: 3 }).map((lo) => ({ hi: lo.map(() => 7), lo, texts: null }));
    const line = fc
      .record({ fn: some, place: some, names: some, values })
      .map((own) => event('entered', own));
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 200 }), roundTrip), { numRuns: 200 });
  });

  it('keeps a call that follows from those before in no bytes', () => {
    const events = churn(2000).slice(0, 2000);
    expect(exceptions(events)).to.equal(0);
    expect(
      exceptions(events.map((own, i) => (i === 9 ? Object.assign({}, own, { call: 3 }) : own))),
    ).to.equal(2);
  });

  it('is the same bytes for the same events', () => {
    fc.assert(
      fc.property(anySegment, (events) => {
        const bytes = encodeSegment(events);
        encodeSegment(gaps(50));
        expect(encodeSegment(structuredClone(events))).to.deep.equal(bytes);
        expect(encodeSegment(decoded(bytes))).to.deep.equal(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('is these bytes for these events', () => {
    const bytes = encodeSegment([
      event(
        'entered',
        { fn: 'f', place: '', names: 'a', values: { hi: [0], lo: [5], texts: null } },
        { seq: 7 },
      ),
      event('marker', { text: 'phase' }, { seq: 8, time: 3000, call: 7 }),
    ]);
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    expect(hex).to.equal(GOLDEN.join(' '));
  });

  it('says its first number and its count in its first bytes', () => {
    expect(headOf(encodeSegment(gaps(300, 70_000)))).to.deep.equal({
      ok: true,
      value: { first: 70_000, count: 300, gapless: true },
    });
    expect(headOf(encodeSegment(gaps(300, 70_000)).subarray(0, 8)).ok).to.equal(true);
    expect(headOf(encodeSegment([gap(5), gap(5)]))).to.have.nested.property('value.gapless', false);
    expect(headOf(new Uint8Array())).to.have.nested.property('error.code', 'segment-damaged');
  });

  it('costs an event like the one before little more than a byte', () => {
    const events = Array.from({ length: 4000 }, (_, i) => gap(i + 1));
    expect(encodeSegment(events).length).to.be.below(5000);
  });

  it('decodes to objects whose properties come in one order', () => {
    const [first] = decoded(
      encodeSegment([
        { why: 'w', kind: 'gap', lost: 1, origin: 0, call: 0, task: '', cpu: 0, time: 0, seq: 1 },
      ]),
    );
    expect(Object.keys(first as Event)).to.deep.equal([
      'seq',
      'time',
      'cpu',
      'task',
      'call',
      'origin',
      'kind',
      'lost',
      'why',
    ]);
  });

  for (const [name, events] of [
    ['no events', []],
    ['too many events', gaps(MAX_EVENTS + 1)],
    ['a negative time', [{ ...gap(1), time: -1 }]],
    ['a broken time', [{ ...gap(1), time: 0.5 }, gap(2)]],
    ['a negative seq', [{ ...gap(1), seq: -1 }]],
    ['a page beyond the last', [event('area-freed', { start: 2 ** 52 })]],
    ['an offset beyond the page', [event('seen', { at: Address.of(1, 4096), value: 1 })]],
    ['a broken count', [event('gap', { lost: 1.5, why: '' })]],
    ['no number at all', [event('gap', { lost: NaN, why: '' })]],
    [
      'a half of a value that is signed',
      [event('returned', { fn: '', place: '', names: 'a', values: { hi: [-1], lo: [0], texts: null } })],
    ],
    ['an unknown kind', [{ ...gap(1), kind: 'nothing' } as unknown as Event]],
    ['a call that is no number', [{ ...gap(1), call: -5 }]],
  ] satisfies [string, Event[]][]) {
    it(`is not made of ${name}`, () => {
      expect(() => encodeSegment(events)).to.throw(RangeError);
    });
  }
});

describe('decoding some kinds only', () => {
  const kinds = KINDS.map(({ kind }) => kind as EventKind);

  it('is decoding all and leaving out the others', () => {
    fc.assert(
      fc.property(anySegment, fc.subarray(kinds), (events, some) => {
        const only = new Set(some);
        const bytes = encodeSegment(events);
        expect(decoded(bytes, { only })).to.deep.equal(events.filter(({ kind }) => only.has(kind)));
      }),
      { numRuns: 400 },
    );
  });

  it('knows the kinds that change memory', () => {
    const moving = new Set(KINDS.filter(({ changesMemory }) => changesMemory).map(({ kind }) => kind));
    fc.assert(
      fc.property(anySegment, (events) => {
        expect(decoded(encodeSegment(events), { only: 'changesMemory' })).to.deep.equal(
          events.filter(({ kind }) => moving.has(kind)),
        );
      }),
    );
  });
});

/** Decoding may give events or a failure; anything else is an exception, and a hang runs into mocha's timeout. */
const survives = (bytes: Uint8Array): void => {
  for (const only of [undefined, 'changesMemory'] as const) {
    const result = only === undefined ? decodeSegment(bytes) : decodeSegment(bytes, { only });
    if (!result.ok) expect(result.error.code).to.match(/^segment-(damaged|too-new)$/);
  }
  headOf(bytes);
};

/** The golden segment with some bytes changed, from the byte at `at` on. */
const broken = (at: number, ...changes: number[]): Uint8Array => {
  const bytes = Uint8Array.from(GOLDEN.join(' ').split(' '), (byte) => parseInt(byte, 16));
  bytes.set(changes, at);
  return bytes;
};

describe('damaged bytes', () => {
  it('never throw: some bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anySegment, changes, (events, own) => {
        const bytes = encodeSegment(events);
        for (const [at, value] of own) bytes[at % bytes.length] = value;
        survives(bytes);
      }),
      { numRuns: 3000 },
    );
  }).timeout(60_000);

  it('never throw: bytes missing or added', () => {
    fc.assert(
      fc.property(
        anySegment,
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 5 }),
        (events, cut, more) => {
          const bytes = encodeSegment(events);
          const short = bytes.subarray(0, cut % bytes.length);
          survives(short);
          expect(decodeSegment(short)).to.have.nested.property('error.code', 'segment-damaged');
          expect(decodeSegment(Uint8Array.of(...bytes, ...more))).to.have.nested.property(
            'error.code',
            'segment-damaged',
          );
        },
      ),
      { numRuns: 500 },
    );
  }).timeout(60_000);

  it('never throw: no segment at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 2000 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(Uint8Array.of(1, 0, 1, ...bytes))),
      { numRuns: 2000 },
    );
  });

  it('say where', () => {
    const bytes = encodeSegment(gaps(3));
    expect(decodeSegment(bytes.subarray(0, 9))).to.deep.equal({
      ok: false,
      error: { code: 'segment-damaged', what: 'the bytes end too early', where: 'byte 6 of the segment' },
    });
  });

  for (const [at, changes, what] of [
    [1, [2], 'flags 2 are unknown'],
    [3, [0], 'a segment of no events'],
    [3, [0x81, 0x20], 'the number of events is 4097, the most there can be is 4096'],
    [17, [0x7f], 'the bytes end too early'],
    [31, [1], 'kind 1 comes twice'],
    [34, [3], 'a shape is of kind 3, which the segment does not have'],
    [35, [9], 'text 9 is not in the dictionary'],
    [39, [2], 'a flag is 2, the most there can be is 1'],
    [41, [4], 'unknown form of a column'],
    [42, [0], 'the first successor of a shape is missing'],
    [42, [3], '3 is out of range'],
    [41, [1, 1, 9], 'a run is longer than its column'],
    [48, [1], 'time -3000 is out of range'],
    [58, [1], 'exceptions lie behind the last event'],
    [58, [3], 'the number of exceptions is 3, the most there can be is 2'],
    [59, [7], 'the section of call lines is longer than its columns'],
    [61, [4], 'a value is copied from before the first'],
    [59, [4, 0, 2, 0, 0], 'a difference is missing'],
    [59, [4, 0, 3, 0, 0], 'a far value is missing'],
    [62, [2], 'the number of differences is 2, the most there can be is 1'],
    [64, [9], 'a half of a value is out of range'],
    [66, [1], 'a block is longer than its columns'],
    [69, [5], '5 is out of range'],
  ] as const) {
    it(`say what is wrong at byte ${at}: ${what}`, () => {
      const result = decodeSegment(broken(at, ...changes));
      expect(result).to.have.nested.property('error.what', what);
    });
  }

  it('of a newer format say so', () => {
    const bytes = encodeSegment(gaps(3));
    bytes[0] = 2;
    expect(decodeSegment(bytes)).to.have.nested.property('error.code', 'segment-too-new');
  });
});
