import { existsSync } from 'node:fs';
import * as v from 'valibot';
import type { Oops } from '../core/oops/oops.js';
import { fail, ok, type Failure, type Result } from '../core/value/failure.js';
import { logOn, type At, type Log, type TraceView } from '../replay/log.js';
import { plural } from '../replay/numbers.js';
import { postMortem, type PostMortemVerdict } from '../replay/postmortem/postmortem.js';
import { postMortemJson } from '../replay/postmortem/postmortemJson.js';
import { postMortemParagraphs } from '../replay/postmortem/postmortemLines.js';
import { openStore, type Store } from '../store/index.js';
import { importTrace } from '../traces/import/import.js';
import { importDump } from '../traces/oops/importDump.js';
import { openConsole, type ConsoleLog } from '../traces/oops/read.js';
import type { Context } from './console/context.js';
import { readingLog, writing } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, flag, text } from './program/values.js';

interface Wanted {
  readonly oops: Oops;
  readonly all: boolean;
  /** Said before the report. */
  readonly notes: readonly string[];
}

interface Source {
  readonly trace: TraceView | null;
  readonly at: At | null;
  /** The trace was dumped in the text that holds the oops. */
  readonly sameText: boolean;
}

const EXITS: Readonly<Record<PostMortemVerdict, Exit>> = {
  explained: Exit.findings,
  nothing: Exit.nothing,
  unknown: Exit.unknown,
};

const report = (context: Context, { oops, all, notes }: Wanted, source: Source): Result<Exit> => {
  const made = postMortem(oops, source);
  if (!made.ok) return made;
  if (context.settings.json) context.printJson(postMortemJson(made.value));
  else {
    context.remark(
      ...notes.map((note) => context.style.dim(`note: ${note}`)),
      ...(notes.length > 0 ? [''] : []),
    );
    for (const [index, { title, lines }] of postMortemParagraphs(made.value, { all }).entries())
      context.print(
        ...(index === 0 ? [] : ['']),
        context.style.bold(title),
        ...lines.map((line) => `  ${line}`),
      );
  }
  return ok(EXITS[made.value.verdict]);
};

/** Runs `use` with a log in memory that is gone afterwards. */
const inMemory = async <T>(use: (store: Store, log: Log) => Promise<Result<T>>): Promise<Result<T>> => {
  const store = openStore(':memory:');
  if (!store.ok) return store;
  try {
    return await use(store.value, logOn(store.value));
  } finally {
    store.value.close();
  }
};

const ofTrace = (name: string, log: Log): Result<TraceView> => log.trace(name);

/** Failures that say that a name is none of a trace in the log. */
const NO_TRACE: ReadonlySet<string> = new Set(['no-such-file', 'no-such-trace']);

/** With a trace of the log, or of a file that is read for this alone. */
const withTrace = async (context: Context, wanted: Wanted, name: string): Promise<Result<Exit>> => {
  const inLog = await readingLog(context, (log) => {
    const found = log.moment(name);
    if (!found.ok) return found;
    const { trace, moment } = found.value;
    return report(context, wanted, { trace, at: name.includes('@') ? moment.seq : null, sameText: false });
  });
  if (inLog.ok || !NO_TRACE.has(inLog.error.code) || !existsSync(name)) return inLog;
  return inMemory(async (store, log) => {
    const { release } = wanted.oops;
    const imported = await importTrace(store, name, release === null ? {} : { release });
    if (!imported.ok) return imported;
    const trace = ofTrace(imported.value.report.trace, log);
    return trace.ok ? report(context, wanted, { trace: trace.value, at: null, sameText: false }) : trace;
  });
};

const NO_SOURCE: Source = { trace: null, at: null, sameText: false };

const noteOf = ({ what, hint }: Failure): string =>
  `the dumped trace cannot be followed: ${what}${hint === undefined ? '' : ` (${hint})`}`;

/** With the trace that the console log itself holds; without one, the oops alone. */
const withDump = (
  context: Context,
  wanted: Wanted,
  { dump }: ConsoleLog,
  name: string | undefined,
): Promise<Result<Exit>> | Result<Exit> => {
  if (dump === null || dump.events === 0) {
    const why =
      dump === null
        ? 'this text holds no dumped trace'
        : dump.empty
          ? 'the dumped trace is empty'
          : 'no line of the dumped trace could be read';
    if (name !== undefined) return fail('no-events', why, undefined, 'leave --name out, or name a trace');
    return report(
      context,
      { ...wanted, notes: [...wanted.notes, `${why}: name a trace for more`] },
      NO_SOURCE,
    );
  }
  const use = async (store: Store, log: Log): Promise<Result<Exit>> => {
    const imported = await importDump(store, dump, { name: name ?? 'dump', release: wanted.oops.release });
    if (!imported.ok) {
      if (name !== undefined) return imported;
      return report(context, { ...wanted, notes: [...wanted.notes, noteOf(imported.error)] }, NO_SOURCE);
    }
    const trace = ofTrace(imported.value.report.trace, log);
    return trace.ok ? report(context, wanted, { trace: trace.value, at: null, sameText: true }) : trace;
  };
  return name === undefined ? inMemory(use) : writing(context, (store) => use(store, logOn(store)));
};

const oopsOf = ({ oopses }: ConsoleLog, path: string, nth: number): Result<Wanted['oops']> => {
  const oops = oopses[nth - 1];
  return oops !== undefined
    ? ok(oops)
    : fail(
        'no-such-oops',
        `there is no oops ${nth}`,
        path,
        `this text has ${plural(oopses.length, 'oops', 'oopses')}`,
      );
};

export const postmortem = command({
  about:
    'Explains an oops of x86-64 or arm64: decodes the fault, finds the moment in the trace, shows what the page went through, who changed its permission and ' +
    'content last, how the page table of the oops differs from the one rebuilt, and which known failures fit, the best first, with the evidence. The console ' +
    'log alone is enough where it holds the trace that ftrace_dump_on_oops prints; else name a trace, recorded on the machine that crashed.',
  arguments: [
    ['<oops>', 'text with the oops: console log, dmesg, journal; plain or .gz, - for standard input'],
    [
      '[trace]',
      'TRACE or TRACE@WHERE of the log, a trace file, or a capture folder (default: the trace dumped in the text)',
    ],
  ],
  options: [
    ['--nth <n>', 'which oops of the text (default: the first; what follows is mostly its consequence)'],
    ['--name <name>', 'keep the trace dumped in the text in the log, under this name'],
    ['--all', 'every change of the page'],
  ],
  examples: [
    {
      line: 'pagetrail postmortem console.log',
      does: 'exit code 1 when something explains it, 0 when nothing does, 4 when too little is known',
    },
    {
      line: 'pagetrail postmortem oops.txt host',
      does: 'with a trace of the log; the moment is found by the time of the oops',
    },
    { line: "pagetrail postmortem oops.txt 'host@#freed3'", does: 'at a moment of your own' },
  ],
  values: v.object({
    oops: text,
    trace: v.optional(text),
    nth: v.optional(v.pipe(count, v.minValue(1, 'nth is not at least 1')), '1'),
    name: v.optional(text),
    all: flag,
  }),
  run: async (context, { oops: path, trace, nth, name, all }) => {
    if (trace !== undefined && name !== undefined)
      return fail(
        'bad-value',
        '--name goes with the trace dumped in the text',
        undefined,
        'leave out --name or the trace',
      );
    const log = await openConsole(path, { stdin: context.stdin });
    if (!log.ok) return log;
    const oops = oopsOf(log.value, path, nth);
    if (!oops.ok) return oops;
    const others = log.value.oopses.length - 1;
    const notes =
      others > 0 ? [`${plural(others, 'other oops', 'other oopses')} in this text: --nth chooses`] : [];
    const wanted: Wanted = { oops: oops.value, all, notes };
    return trace === undefined
      ? withDump(context, wanted, log.value, name)
      : withTrace(context, wanted, trace);
  },
});
