import * as v from 'valibot';
import { eventJson } from '../core/codec/json.js';
import { KINDS, type Event, type EventKind } from '../core/event/event.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { TraceView } from '../replay/log.js';
import { nearNames } from '../store/index.js';
import type { Context } from './console/context.js';
import { gathered } from './console/sink.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, text } from './program/values.js';
import { eventPrinter } from './show/eventTable.js';
import { clockOf } from '../replay/clock.js';

interface Wanted {
  /** Numbers of the first and last event. */
  readonly from: number;
  readonly to: number;
  readonly kinds: ReadonlySet<EventKind> | null;
  readonly task: string | null;
}

const NAMES: readonly string[] = KINDS.map(({ kind }) => kind);

/** Kinds as given: `marker`, `permission,split`. */
function kindsOf(given: string | undefined): Result<ReadonlySet<EventKind> | null> {
  if (given === undefined) return ok(null);
  const names = given.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown === undefined) return ok(new Set(names as EventKind[]));
  const near = nearNames(unknown, NAMES);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `kinds: ${NAMES.join(', ')}`;
  return fail('unknown-kind', `there is no kind of event ${JSON.stringify(unknown)}`, undefined, hint);
}

/** A task by its whole name, its comm or its pid. */
const isTask = (task: string, wanted: string): boolean => {
  if (task === wanted) return true;
  const dash = task.lastIndexOf('-');
  return dash >= 0 && (task.slice(0, dash) === wanted || task.slice(dash + 1) === wanted);
};

function* wantedEvents(trace: TraceView, wanted: Wanted): Generator<Result<Event>> {
  const { from, to, kinds, task } = wanted;
  for (const batch of trace.batches({
    from: Math.max(0, from - 1),
    to,
    ...(kinds === null ? {} : { kinds }),
  })) {
    if (!batch.ok) {
      yield batch;
      return;
    }
    for (const event of batch.value) if (task === null || isTask(event.task, task)) yield ok(event);
  }
}

async function print(
  context: Context,
  trace: TraceView,
  wanted: Wanted,
  lines: boolean,
): Promise<Result<Exit>> {
  const out = gathered({ write: context.write, finish: () => {}, abandon: () => {} });
  const json = context.settings.json && !lines;
  const printer = eventPrinter(context, clockOf(trace), {
    nested: wanted.kinds === null && wanted.task === null,
    last: trace.info.events,
  });
  let first = true;
  if (json)
    await out.line(
      `{"trace":${JSON.stringify(trace.name)},"time_origin_ns":${JSON.stringify(trace.origin?.toString() ?? null)},"from":${wanted.from},"to":${wanted.to},"events":[`,
    );
  for (const event of wantedEvents(trace, wanted)) {
    if (!event.ok) {
      await out.flush();
      return event;
    }
    if (json) await out.line(`${first ? '' : ','}${JSON.stringify(eventJson(event.value))}`);
    else await out.line(lines ? JSON.stringify(eventJson(event.value)) : printer.line(event.value));
    first = false;
  }
  if (json) await out.line(']}');
  await out.flush();
  if (first && !json && !lines) context.remark('no such events');
  return ok(Exit.nothing);
}

export const events = command({
  about:
    'Lists the events of a trace in order, what a kernel call did indented below it: → a call, ← its return, between them the facts that follow. ' +
    'docs/events.md explains the kinds.',
  arguments: [['<trace>', 'name of the trace']],
  options: [
    ['--from <where>', 'first event: 42, #loaded8, 6.817602s (default: the first)'],
    ['--to <where>', 'last event, in the same forms (default: the last)'],
    ['--kind <kinds>', 'only these kinds, comma-separated: marker,permission'],
    ['--task <task>', 'only of this task: comm, pid or comm-pid'],
    ['--jsonl', 'JSON Lines: one event a line'],
  ],
  examples: [
    { line: 'pagetrail events S1 --kind marker', does: 'the markers, with their numbers' },
    { line: "pagetrail events S1 --from '#loaded8' --to '#freed3'", does: 'everything between two markers' },
  ],
  values: v.object({
    trace: text,
    from: v.optional(text),
    to: v.optional(text),
    kind: v.optional(text),
    task: v.optional(text),
    jsonl: flag,
  }),
  run: (context, given) =>
    readingLog(context, async (log) => {
      const kinds = kindsOf(given.kind);
      if (!kinds.ok) return kinds;
      const trace = log.trace(given.trace);
      if (!trace.ok) return trace;
      const from = trace.value.find(given.from ?? 'start');
      if (!from.ok) return from;
      const to = trace.value.find(given.to ?? 'end');
      if (!to.ok) return to;
      if (to.value.seq < from.value.seq)
        return fail(
          'bad-range',
          `--from is event ${from.value.seq}, after --to, event ${to.value.seq}`,
          undefined,
          'give them the other way round',
        );
      const wanted = {
        from: Math.max(1, from.value.seq),
        to: to.value.seq,
        kinds: kinds.value,
        task: given.task ?? null,
      };
      return print(context, trace.value, wanted, given.jsonl);
    }),
});
