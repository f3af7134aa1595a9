import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import type { TraceInfo } from '../store/index.js';
import { bytesText, grouped, plural } from '../replay/numbers.js';
import { table } from './console/table.js';
import { reading } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';

const metaText = (trace: TraceInfo, key: string): string => {
  const value = trace.meta[key];
  return typeof value === 'string' ? value : '';
};

const numberIn = (trace: TraceInfo, key: string): number => {
  const value = trace.summary?.[key];
  return typeof value === 'number' ? value : 0;
};

const asJson = (trace: TraceInfo): object => ({
  trace: trace.name,
  source: metaText(trace, 'source'),
  kernel: metaText(trace, 'kernel'),
  arch: metaText(trace, 'arch'),
  profile: metaText(trace, 'profile'),
  time_origin_ns: metaText(trace, 'origin') || null,
  events: trace.events,
  segments: trace.segments,
  bytes: trace.bytes,
  complete: trace.complete,
  lost: numberIn(trace, 'lost'),
  divergences: numberIn(trace, 'divergences'),
  root: trace.root,
});

/** What a reader must know before trusting a trace; empty when there is nothing. */
const remarks = (trace: TraceInfo): string =>
  [
    trace.complete ? '' : 'incomplete',
    numberIn(trace, 'lost') > 0 ? `${grouped(numberIn(trace, 'lost'))} lost` : '',
    numberIn(trace, 'divergences') > 0 ? plural(numberIn(trace, 'divergences'), 'divergence') : '',
  ]
    .filter(Boolean)
    .join(', ');

export const traces = command({
  about: 'Lists the traces of the log, oldest first, and what is left of removed ones.',
  arguments: [],
  options: [],
  examples: [{ line: 'pagetrail traces', does: 'names, kernels, sizes' }],
  values: v.object({}),
  run: (context) =>
    reading(context, (store) => {
      const list = store.traces();
      if (!list.ok) return list;
      const removed = store.tombstones();
      if (!removed.ok) return removed;
      if (context.settings.json) {
        context.printJson({ traces: list.value.map(asJson), removed: removed.value });
        return ok(Exit.nothing);
      }
      context.print(
        ...table(
          [['trace'], ['source'], ['kernel'], ['as'], ['events', 'right'], ['size', 'right'], ['root'], ['']],
          list.value.map((trace) => [
            trace.name,
            metaText(trace, 'source'),
            `${metaText(trace, 'kernel')} ${metaText(trace, 'arch')}`,
            metaText(trace, 'profile'),
            grouped(trace.events),
            bytesText(trace.bytes),
            trace.root.slice(0, 12),
            context.style.odd(remarks(trace)),
          ]),
          context.style.dim,
        ),
      );
      if (list.value.length === 0) context.print('no traces');
      if (removed.value.length > 0) {
        context.remark(
          '',
          ...removed.value.map(
            ({ name, events, root, when }) =>
              `removed ${when}: ${name}, ${grouped(events)} events, root ${root.slice(0, 12)}`,
          ),
        );
      }
      return ok(Exit.nothing);
    }),
});
