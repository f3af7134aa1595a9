/**
 * `npm run bench`: measures what design promises, each figure beside its baseline in the same run. See docs/performance.md.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { random } from '../core/value/random.js';
import { killStage, runStage, type StageName } from './child.js';
import type { Times } from './stages/past.js';
import { figure, shown, table, type Figure, type Measured } from './figure.js';

export interface BenchOptions {
  readonly events: number;
  /** Bytes of ftrace text. */
  readonly text: number;
  /** Programs live at the height of the synthetic workload. */
  readonly live: number;
  readonly seeks: number;
  readonly crashes: number;
  /** Only figures whose name contains this. */
  readonly only?: string | undefined;
  readonly onProgress?: (text: string) => void;
}

export const FULL: BenchOptions = { events: 1e6, text: 500e6, live: 3000, seeks: 500, crashes: 5 };
export const QUICK: BenchOptions = { events: 9000, text: 5e5, live: 60, seeks: 20, crashes: 1 };

/** What the measurements share: files made once, when first asked for. */
interface Bench {
  readonly options: BenchOptions;
  readonly folder: string;
  readonly log: () => Promise<string>;
  readonly say: (text: string) => void;
}

/** Figures measured together, with the names they have. */
interface Group {
  readonly names: readonly string[];
  readonly measure: (bench: Bench) => Promise<readonly Measured[]>;
}

const MILLION = 1e6;
const SPEED = 'M events/s';

const appending: Group = {
  names: ['append', 'append of encoded segments'],
  measure: async ({ log, folder, say }) => {
    const file = await log();
    say('append');
    const done = await runStage('append', { log: file, folder });
    return [
      {
        name: 'append',
        value: done.log / MILLION,
        unit: SPEED,
        baseline: ['a row an event', done.rows / MILLION],
        target: { atLeast: 1.5, ratio: 3 },
      },
      {
        name: 'append of encoded segments',
        value: done.encoded / MILLION,
        unit: SPEED,
        baseline: ['plain blobs', done.blobs / MILLION],
      },
      {
        name: 'append of encoded segments, hashing',
        value: done.encoded / MILLION,
        unit: SPEED,
        baseline: ['SHA-256 alone', done.sha256 / MILLION],
      },
    ];
  },
};

const importing: Group = {
  names: ['import', 'import, memory', 'import, calls predicted'],
  measure: async ({ options, folder, say }) => {
    const text = join(folder, 'churn.txt');
    await runStage('writeText', { file: text, bytes: options.text, live: options.live }, (bytes) =>
      say(`writing ${shown(bytes / MILLION)} of ${shown(options.text / MILLION)} MB of ftrace text`),
    );
    say('import');
    const imported = await runStage('importText', { text, log: join(folder, 'import.db') });
    say('plain split');
    const split = await runStage('splitText', { text });
    rmSync(text);
    rmSync(join(folder, 'import.db'));
    return [
      {
        name: 'import',
        value: imported.megabytesPerSecond,
        unit: 'MB/s',
        baseline: ['regex + key=value split', split.megabytesPerSecond],
        target: { atLeast: 50, ratio: 0.6 },
      },
      {
        name: 'import, memory',
        value: imported.peakMegabytes,
        unit: 'MB',
        baseline: ['regex + key=value split', split.peakMegabytes],
        target: { atMost: 200 },
      },
      {
        name: 'import, calls predicted',
        value: imported.predicted * 100,
        unit: '%',
        target: { atLeast: 99 },
      },
    ];
  },
};

const WAYS = [
  { name: 'fold, every event', way: 'every event', atLeast: 2.5 },
  { name: 'fold, what changes memory', way: 'changes memory', atLeast: 5 },
  { name: 'fold, one by one', way: 'one by one', atLeast: 0.8 },
] as const;

const folding: Group = {
  names: [...WAYS.map(({ name }) => name), 'fold, audit rules', 'replay, memory'],
  measure: async ({ log, say }) => {
    const file = await log();
    const figures: Measured[] = [];
    let memory = 0;
    for (const { name, way, atLeast } of WAYS) {
      say(name);
      const done = await runStage('fold', { log: file, way });
      memory = Math.max(memory, done.peakMegabytes);
      figures.push({
        name,
        value: done.eventsPerSecond / MILLION,
        unit: SPEED,
        baseline: ['decoding alone', done.decodedPerSecond / MILLION],
        target: { atLeast },
      });
    }
    say('audit');
    const audited = await runStage('audit', { log: file });
    memory = Math.max(memory, audited.peakMegabytes);
    return [
      ...figures,
      {
        name: 'fold, audit rules',
        value: audited.eventsPerSecond / MILLION,
        unit: SPEED,
        baseline: ['decoding alone', audited.decodedPerSecond / MILLION],
        target: { atLeast: 1 },
      },
      { name: 'replay, memory', value: memory, unit: 'MB', target: { atMost: 300 } },
    ];
  },
};

const seeking: Group = {
  names: ['seek, p50', 'seek, p99', 'step', 'step back', 'seek, memory'],
  measure: async ({ options, log, say }) => {
    const file = await log();
    say('seek');
    const done = await runStage('seek', { log: file, seeks: options.seeks });
    const fromStart = ['fold from the start to the middle', done.fromStart] as const;
    return [
      { name: 'seek, p50', value: done.p50, unit: 'ms', baseline: fromStart, target: { atMost: 10 } },
      { name: 'seek, p99', value: done.p99, unit: 'ms', baseline: fromStart, target: { atMost: 30 } },
      {
        name: 'step',
        value: done.step,
        unit: 'ms',
        baseline: ['its p99', done.stepP99],
        target: { atMost: 1 },
      },
      {
        name: 'step back',
        value: done.back,
        unit: 'ms',
        baseline: ['its p99', done.backP99],
        target: { atMost: 1 },
      },
      { name: 'seek, memory', value: done.peakMegabytes, unit: 'MB', target: { atMost: 300 } },
    ];
  },
};

/** Figures of the slowest hundredth stand beside those of the middle. */
const times = (name: string, [p50, p99]: Times, atMost?: number): Measured => ({
  name,
  value: p50,
  unit: 'ms',
  baseline: ['its p99', p99],
  ...(atMost === undefined ? {} : { target: { atMost } }),
});

const asking: Group = {
  names: [
    'last change of a page',
    'past of a page',
    'last, with its calls',
    'first, with its calls',
    'why',
    'history',
    'last, as a command',
    'history, as a command',
    'state diff',
    'state diff, as JSON',
    'past, memory',
  ],
  measure: async ({ options, log, say }) => {
    const file = await log();
    say('past');
    const done = await runStage('past', { log: file, questions: options.seeks });
    return [
      times('last change of a page', done.lastOfPage, 1),
      times('past of a page', done.pastOfPage, 1),
      times('last, with its calls', done.last, 1),
      times('first, with its calls', done.first, 1),
      times('why', done.why, 1),
      times('history', done.history),
      times('last, as a command', done.lastCommand, 150),
      times('history, as a command', done.historyCommand, 150),
      times('state diff', done.diff, 5),
      times('state diff, as JSON', done.diffTold),
      { name: 'past, memory', value: done.peakMegabytes, unit: 'MB', target: { atMost: 300 } },
    ];
  },
};

const sizing: Group = {
  names: ['size, segments', 'size, file'],
  measure: async ({ log }) => {
    const done = await runStage('size', { log: await log() });
    return [
      {
        name: 'size, segments',
        value: done.segments,
        unit: 'bytes/event',
        baseline: ['not deflated', done.raw],
        target: { atMost: 8 },
      },
      { name: 'size, file', value: done.file, unit: 'bytes/event', target: { atMost: 20 } },
    ];
  },
};

/** Milliseconds between a writer's first acknowledgement and its end. */
const CRASH_WITHIN = 500;

const crashing: Group = {
  names: ['kill -9, reopen'],
  measure: async ({ options, folder, log, say }) => {
    const from = await log();
    const moments = random(9);
    let slowest = 0;
    for (let i = 0; i < options.crashes; i++) {
      say(`kill -9, ${i + 1} of ${options.crashes}`);
      const file = join(folder, `crash${i}.db`);
      const last = await killStage('copySegments', { from, file }, moments.below(CRASH_WITHIN));
      const reopened = await runStage('reopen', { from, file, acknowledged: Number(last) });
      slowest = Math.max(slowest, reopened.milliseconds);
      rmSync(file);
    }
    return [{ name: 'kill -9, reopen', value: slowest, unit: 'ms', target: { atMost: 200 } }];
  },
};

const comparing: Group = {
  names: ['diff of two traces', 'diff of two traces, memory'],
  measure: async ({ options, folder, say }) => {
    const file = join(folder, 'pair.db');
    await runStage('writePair', { file, events: options.events, live: options.live }, (events) =>
      say(`emulating ${shown(events)} events of two kernels`),
    );
    say('diff of two traces');
    const done = await runStage('compare', { log: file });
    rmSync(file);
    return [
      {
        name: 'diff of two traces',
        value: done.events / done.seconds / MILLION,
        unit: SPEED,
        baseline: ['reading both', done.events / done.reading / MILLION],
        target: { atLeast: 2 },
      },
      { name: 'diff of two traces, memory', value: done.peakMegabytes, unit: 'MB', target: { atMost: 300 } },
    ];
  },
};

/** Runs that the smallest measurement of a search makes. */
const FEW_RUNS = 20;

const exploring: Group = {
  names: ['explore, interleavings', 'explore, steps', 'explore, faults'],
  measure: async ({ options, say }) => {
    say('explore');
    const done = await runStage('explore', { budget: Math.max(FEW_RUNS, Math.ceil(options.events / 100)) });
    return [
      { name: 'explore, interleavings', value: done.statesPerSecond, unit: 'states/s' },
      { name: 'explore, steps', value: done.stepsPerSecond, unit: 'steps/s' },
      { name: 'explore, faults', value: done.runsPerSecond, unit: 'runs/s' },
    ];
  },
};

const GROUPS: readonly Group[] = [
  appending,
  importing,
  folding,
  seeking,
  asking,
  comparing,
  exploring,
  sizing,
  crashing,
];

/** Measures all figures, or those asked for. What it writes is gone when it returns. */
export const bench = async (options: BenchOptions): Promise<readonly Figure[]> => {
  const { only = '', onProgress: say = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-bench-'));
  let made: Promise<string> | null = null;
  const log = (): Promise<string> => {
    const file = join(folder, 'log.db');
    made ??= runStage('writeLog', { file, events: options.events, live: options.live }, (events) =>
      say(`emulating ${shown(events)} of ${shown(options.events)} events`),
    ).then(() => file);
    return made;
  };
  try {
    const figures: Measured[] = [];
    for (const { names, measure } of GROUPS)
      if (names.some((name) => name.includes(only)))
        figures.push(...(await measure({ options, folder, log, say })));
    return figures.filter(({ name }) => name.includes(only)).map(figure);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const USAGE = `npm run bench -- [options]

  --events N    events of the synthetic log (1000000)
  --text MB     megabytes of the synthetic ftrace text (500)
  --only NAME   only figures whose name contains NAME
  --quick       small sizes: shows that everything runs, measures nothing
  --json        an array of {name, value, unit, baseline, ratio, target, reached}
`;

const isJson = (figures: readonly Figure[]): string => JSON.stringify(figures, null, 2);

/** Progress in one line of the terminal; a line each where there is none. */
const progress = (): { readonly say: (text: string) => void; readonly end: () => void } => {
  let last = '';
  const terminal = process.stderr.isTTY;
  return {
    say: (text) => {
      if (terminal) process.stderr.write(`\r\u001b[K${text}`);
      else if (text.split(' ')[0] !== last.split(' ')[0]) process.stderr.write(`${text}\n`);
      last = text;
    },
    end: () => {
      if (terminal) process.stderr.write('\r\u001b[K');
    },
  };
};

const number = (text: string | undefined, what: string): number | null => {
  if (text === undefined) return null;
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${what} takes a number above 0, not ${text}`);
  return value;
};

/** `node dist/bench/main.js`. */
const main = async (): Promise<number> => {
  let options: BenchOptions;
  let json: boolean;
  try {
    const { values } = parseArgs({
      options: {
        events: { type: 'string' },
        text: { type: 'string' },
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    json = values.json;
    const base = values.quick ? QUICK : FULL;
    options = {
      ...base,
      events: number(values.events, 'events') ?? base.events,
      text: (number(values.text, 'text') ?? base.text / MILLION) * MILLION,
      only: values.only,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const shownProgress = progress();
  const figures = await bench({ ...options, onProgress: shownProgress.say });
  shownProgress.end();
  if (figures.length === 0) {
    process.stderr.write(`no figure is named ${options.only ?? ''}\n`);
    return 2;
  }
  const head = `${shown(options.events)} events, ${shown(options.text / MILLION)} MB of text, ${options.live} live programs; node ${process.version}, ${availableParallelism()} cores\n\n`;
  process.stdout.write(json ? `${isJson(figures)}\n` : `${head}${table(figures)}\n`);
  return 0;
};

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url))
  process.exitCode = await main();

export type { Figure, StageName };
