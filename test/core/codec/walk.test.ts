import { expect } from 'chai';
import type { Event } from '../../../core/event/event.js';
import { decodeSegment } from '../../../core/codec/decode.js';
import { walkSegment, type LineForm } from '../../../core/codec/walk.js';
import { openStore } from '../../../store/index.js';
import { simulate } from '../../../traces/simulate/simulate.js';
import { churnWorkload } from '../../../bench/workload.js';
import { must } from '../../../replay/failed.js';

/** What a call line says. */
const lineOf = (
  { kind, fn, names }: LineForm,
  seq: number,
  call: number,
  task: string,
  values: readonly unknown[],
) => [seq, kind, fn, names, call, task, ...values];

const segments = (): Uint8Array[] => {
  const store = must(openStore(':memory:'));
  const churn = churnWorkload({ name: 'churn', seed: 5, live: 8, operations: 40 });
  must(simulate(store, churn, { kernel: '6.1', name: 'run', seed: 1 }));
  const bytes = [...must(store.trace('run')).segments(1)].map((segment) => must(segment).bytes);
  store.close();
  return bytes;
};

const expected = (events: readonly Event[], kinds: ReadonlySet<string>): unknown[] =>
  events.flatMap((event): unknown[] => {
    if (event.kind !== 'entered' && event.kind !== 'returned') return kinds.has(event.kind) ? [event] : [];
    const { seq, call, task, values } = event;
    const told = values.hi.map((hi, i) => [hi, values.lo[i], values.texts?.[i] ?? null]);
    return [lineOf(event, seq, call, task, told)];
  });

describe('a segment that is walked', () => {
  const kinds = new Set(['published', 'copied'] as const);

  it('tells what is decoded of it', () => {
    for (const bytes of segments()) {
      const told: unknown[] = [];
      const walked = walkSegment<LineForm>(bytes, {
        kinds,
        values: true,
        form: (form) => form,
        line: (form, seq, call, task, { hi, lo, first, text }) => {
          const values = form.names
            .split(',')
            .filter((name) => name !== '')
            .map((_, k) => [hi[first + k], lo[first + k], text(k)]);
          told.push(lineOf(form, seq, call, task, values));
        },
        event: (event) => told.push(event),
      });
      expect(walked.ok).to.equal(true);
      expect(told).to.deep.equal(expected(must(decodeSegment(bytes)), kinds));
    }
  });

  it('tells its calls without their values', () => {
    for (const bytes of segments()) {
      const told: unknown[] = [];
      must(
        walkSegment<LineForm>(bytes, {
          kinds: new Set(),
          values: false,
          form: (form) => form,
          line: (form, seq, call, task) => told.push(lineOf(form, seq, call, task, [])),
          event: (event) => told.push(event),
        }),
      );
      const whole = must(decodeSegment(bytes)).filter(
        ({ kind }) => kind === 'entered' || kind === 'returned',
      );
      expect(told).to.deep.equal(expected(whole, new Set()).map((line) => (line as unknown[]).slice(0, 6)));
    }
  });

  it('tells nothing where it is damaged', () => {
    const [bytes] = segments();
    let told = 0;
    const walked = walkSegment((bytes as Uint8Array).subarray(0, -1), {
      kinds,
      values: true,
      form: () => null,
      line: () => told++,
      event: () => told++,
    });
    expect(walked.ok || walked.error.code).to.equal('segment-damaged');
    expect(told).to.equal(0);
  });
});
