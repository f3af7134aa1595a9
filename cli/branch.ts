import * as v from 'valibot';
import type { Event } from '../core/event/event.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { comparisonLines } from '../replay/compareLines.js';
import { compareTraces } from '../replay/compareTraces.js';
import { logOn, type TraceView } from '../replay/log.js';
import { grouped } from '../replay/numbers.js';
import type { Workload } from '../core/workload/workload.js';
import type { Store } from '../store/index.js';
import { branchInto, type BranchChanges } from '../traces/simulate/branch.js';
import { branchRecording } from '../traces/simulate/branchRecording.js';
import { openWorkload } from '../traces/workload/open.js';
import { pairs } from './console/table.js';
import { writing } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { faultTexts, sayNever } from './program/faults.js';
import { count, flag, text } from './program/values.js';

const MOST = 20;
const CONTEXT = 5;

const eventsOf = (trace: TraceView): Result<readonly Event[]> => {
  const events: Event[] = [];
  for (const batch of trace.batches()) {
    if (!batch.ok) return batch;
    for (const event of batch.value) if (event.seq > 0) events.push(event);
  }
  return ok(events);
};

/** `3,5` */
const pairOf = (given: string): Result<readonly [number, number]> => {
  const match = /^(\d{1,9}),(\d{1,9})$/.exec(given);
  return match === null
    ? fail(
        'bad-value',
        `${JSON.stringify(given)} are no two operations`,
        `--swap ${given}`,
        'write two numbers, as 3,5',
      )
    : ok([Number(match[1]), Number(match[2])]);
};

type Changes = Omit<BranchChanges, 'skip' | 'swap' | 'rest'>;
type Done = ReturnType<typeof branchInto>;

const fromEmulation = (
  store: Store,
  trace: TraceView,
  seq: number,
  { rest, ...changes }: Omit<BranchChanges, 'rest'> & { readonly rest: Workload | undefined },
): Done => {
  const given = trace.given();
  if (!given.ok) return given;
  const events = eventsOf(trace);
  if (!events.ok) return events;
  const { root, meta } = trace.info;
  return branchInto(
    store,
    { trace: trace.name, root, meta, given: given.value, events: events.value, seq },
    { ...changes, ...(rest === undefined ? {} : { rest }) },
  );
};

const fromRecording = (
  store: Store,
  trace: TraceView,
  seq: number,
  changes: Changes,
  workload: Workload | undefined,
): Done => {
  if (workload === undefined)
    return fail(
      'bad-branch',
      `${trace.name} is a recording: its log does not say what was left to do`,
      trace.name,
      'give its workload with --workload (its capture folder, or what `pagetrail workload` makes of it)',
    );
  const memory = trace.at(seq);
  if (!memory.ok) return memory;
  const markers = trace.markers();
  if (!markers.ok) return markers;
  const { root, meta } = trace.info;
  const texts = markers.value.filter((one) => one.seq <= seq).map(({ text: words }) => words);
  return branchRecording(
    store,
    { trace: trace.name, root, meta, seq, memory: memory.value, markers: texts },
    workload,
    changes,
  );
};

export const branch = command({
  about:
    'What if, from a recording: an emulation that begins with its memory at a moment and does what is left of its workload. From an emulation: ' +
    'a new trace that is its log up to a moment, run again from its own choices and held against it event by event, and then goes on ' +
    'otherwise: with calls that fail, operations left out or in another order, other operations, or another kernel. Its header says where it left the ' +
    'other one. Exit code 4 when a failure that was asked for never happened; with --diff, 1 when the traces differ.',
  arguments: [['<moment>', 'TRACE@WHERE']],
  options: [
    ['--kernel <kernel>', 'another kernel, from the first operation after the moment on'],
    ['--force', 'run a kernel and architecture that never existed together'],
    [
      '--fail <fault>...',
      'a call that fails after the moment, counted from there: CALL[:NTH][@MARKER]=-ERRNO (docs/failures.md)',
    ],
    [
      '--skip <operation>...',
      'leave this operation out (its number, as `pagetrail events --kind operation` shows it)',
    ],
    ['--swap <operations>...', 'two operations change places: 3,5'],
    [
      '--workload <file>',
      'what comes after the operations that have begun: a workload file that goes on from there; of a recording: its whole workload',
    ],
    ['--seed <n>', 'what is left to chance after the moment (default: as the trace)'],
    ['--name <name>', 'name of the new trace (default: TRACE-branch)'],
    ['--diff', 'print at once what differs from the original'],
  ],
  examples: [
    {
      line: "pagetrail branch 'S1@#loaded8' --fail bpf_arch_text_invalidate=-EINVAL --diff",
      does: 'what if the first chunk freed after that could not be filled',
    },
    {
      line: "pagetrail branch 'S1@#loaded8' --kernel 5.18-rc5",
      does: 'the rest of the work on another kernel',
    },
  ],
  values: v.object({
    moment: text,
    kernel: v.optional(text),
    force: flag,
    fail: faultTexts,
    skip: v.optional(v.array(count), []),
    swap: v.optional(v.array(text), []),
    workload: v.optional(text),
    seed: v.optional(count),
    name: v.optional(text),
    diff: flag,
  }),
  run: async (
    context,
    { moment: written, kernel, force, fail: faults, skip, swap, workload, seed, name, diff },
  ) => {
    const swaps: (readonly [number, number])[] = [];
    for (const one of swap) {
      const pair = pairOf(one);
      if (!pair.ok) return pair;
      swaps.push(pair.value);
    }
    // What comes after need not hold together by itself: it is checked with what was before.
    const rest = workload === undefined ? ok(undefined) : await openWorkload(workload, true);
    if (!rest.ok) return rest;
    const changes = (trace: TraceView) => ({
      ...(kernel === undefined ? {} : { kernel }),
      force,
      faults,
      ...(seed === undefined ? {} : { seed }),
      name: name ?? `${trace.name}-branch`,
    });
    return writing(
      context,
      (store) => {
        const log = logOn(store);
        const found = log.moment(written);
        if (!found.ok) return found;
        const { trace, moment } = found.value;
        const done =
          trace.info.meta['source'] === 'emulation'
            ? fromEmulation(store, trace, moment.seq, {
                ...changes(trace),
                skip,
                swap: swaps,
                rest: rest.value?.workload,
              })
            : skip.length + swaps.length > 0
              ? fail(
                  'bad-branch',
                  '--skip and --swap name operations of an emulation',
                  trace.name,
                  'change the workload file instead',
                )
              : fromRecording(store, trace, moment.seq, changes(trace), rest.value?.workload);
        if (!done.ok) return done;
        const { report } = done.value;
        const never = sayNever(context, report.faults);
        const other = diff ? log.trace(report.trace) : null;
        if (other !== null && !other.ok) return other;
        const compared = other === null ? null : compareTraces(trace, other.value, { context: CONTEXT });
        if (compared !== null && !compared.ok) return compared;
        const differences = compared === null ? null : compared.value;
        if (context.settings.json)
          context.printJson({ ...report, ...(differences === null ? {} : { diff: differences }) });
        else {
          context.print(
            ...pairs([
              ['trace', context.style.name(report.trace)],
              ['from', `${report.from.trace}@${report.from.seq}`],
              ['kernel', `${report.kernel} on ${report.arch}`],
              ['operations', `${report.operations.begun} as they were, then ${report.operations.after}`],
              ['events', grouped(report.events)],
              ...report.faults.map(({ fault, happened }): readonly [string, string] => [
                'failed',
                `${fault}, ${happened === 1 ? 'once' : `${grouped(happened)} times`}`,
              ]),
              ['root', report.root],
            ]),
          );
          if (differences !== null) {
            const { columns } = context.stdout;
            const how = { most: MOST, style: context.style, ...(columns === undefined ? {} : { columns }) };
            context.print('', ...comparisonLines(differences, how));
          } else context.remark('', `next: pagetrail diff ${report.from.trace} ${report.trace}`);
        }
        if (never) return ok(Exit.unknown);
        return ok(differences !== null && differences.differences > 0 ? Exit.findings : Exit.nothing);
      },
      { create: false },
    );
  },
});
