import * as v from 'valibot';
import { Address } from '../core/value/address.js';
import { ok, type Result } from '../core/value/failure.js';
import { circumstancesOf } from '../replay/calls.js';
import { differenceLines } from '../replay/compareLines.js';
import { compareTraces } from '../replay/compareTraces.js';
import { leftovers, seenWords, type LeftoverRange } from '../replay/leftovers.js';
import { logOn, type TraceView } from '../replay/log.js';
import { stateOf } from '../replay/state.js';
import type { Store } from '../store/index.js';
import { bundledRecording } from '../traces/bundledRecordings.js';
import { openCapture } from '../traces/capture/capture.js';
import { conform } from '../traces/conform/conform.js';
import { importTrace, type ImportReport } from '../traces/import/import.js';
import { simulate } from '../traces/simulate/simulate.js';
import { workloadFromCapture } from '../traces/workload/fromCapture.js';
import type { Context } from './console/context.js';
import { grouped as count, percent, plural } from '../replay/numbers.js';
import { table } from './console/table.js';
import { writing } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';

const WITHOUT = 'x86_64-5.18-rc3-S8-leftover-dirty';
const WITH = 'x86_64-5.18-rc3-packv2-S8-leftover-dirty';
const BASE = 'rc3';
const SERIES = 'rc3-series';
const EMULATED = 'rc3-workload-on-6.1';

interface Recorded {
  readonly report: ImportReport;
  /** `4 dumps, 2,562 pages: all equal`. */
  readonly check: string;
}

const record = async (store: Store, folder: string, name: string): Promise<Result<Recorded>> => {
  const imported = await importTrace(store, folder, { name });
  if (!imported.ok) return imported;
  const checked = conform(store, name, folder);
  if (!checked.ok) return checked;
  const { moments } = checked.value;
  const differences = moments.reduce((sum, m) => sum + m.differences_total, 0);
  const unknown = moments.reduce((sum, m) => sum + m.executable_unknown, 0);
  const pages = moments.reduce((sum, m) => sum + m.pages_checked + m.alias_checked, 0);
  const bytes = moments.reduce((sum, m) => sum + m.bytes_equal, 0);
  const verdict = differences === 0 ? 'all equal' : `${differences} DIFFERENCES`;
  return ok({
    report: imported.value.report,
    check: `${moments.length} dumps, ${count(pages)} page entries, ${count(bytes)} bytes: ${verdict}; ${unknown} executable pages unknown`,
  });
};

/** What made a range executable: the calls, and the marker before them. */
const causeLines = (trace: TraceView, seq: number): Result<readonly string[]> => {
  const event = trace.event(seq);
  if (!event.ok) return event;
  const around = circumstancesOf(trace, event.value);
  if (!around.ok) return around;
  const { marker } = around.value;
  // What happens inside set_memory_* is of no interest here.
  const outer = around.value.calls.findIndex(({ fn }) => fn.startsWith('set_memory_'));
  const calls = around.value.calls.slice(Math.max(0, outer));
  return ok([
    `  executable since event ${count(seq)}, by ${calls.map(({ fn }) => fn).join(' ← ')}`,
    ...(marker === null ? [] : [`  while the workload did: ${marker.text}`]),
  ]);
};

const leftoverLines = (trace: TraceView, folder: string): Result<readonly string[]> => {
  const loaded = trace.at('#loaded20');
  if (!loaded.ok) return loaded;
  const { mappings, programs } = stateOf(trace, loaded.value);
  const found = leftovers(loaded.value);
  const words = seenWords(trace);
  if (!words.ok) return words;
  const lines: string[] = [];
  for (const range of found) {
    const mapping = mappings.find((m) => m.start === range.start);
    const leaf = mapping?.page_size === 0x200000 ? 'one 2 MiB page' : 'pages of 4 KiB';
    const inside = programs.filter(({ chunk }) => chunk >= range.start && chunk < range.end).length;
    lines.push(
      `  ${range.start}-${range.end}  ${mapping?.prot ?? '???'}  ${leaf} with ${plural(inside, 'program')}`,
    );
    lines.push(
      `  ${count(range.inherited)} of ${count(range.executable)} executable bytes were never written for it: whatever lay there`,
    );
    const cause = causeLines(trace, range.since);
    if (!cause.ok) return cause;
    lines.push(...cause.value);
    const witness = witnessLines(folder, range);
    if (!witness.ok) return witness;
    lines.push(...witness.value);
  }
  if (found.length === 0) lines.push('  0 executable bytes that were not written for it');
  const texts = words.value.filter((word) => word.text !== null);
  const first = texts[0];
  if (first !== undefined)
    lines.push(
      `  the kernel shows it itself: ro_header_size, read before an image is copied, is "${first.text}" for ${texts.length} of ${words.value.length} images`,
      `    (first: event ${count(first.seq)}), the user's own data`,
    );
  return ok(lines);
};

/** What the host saw in the page behind the pack, at the same moment. */
const witnessLines = (folder: string, { start, inherited }: LeftoverRange): Result<readonly string[]> => {
  const capture = openCapture(folder);
  if (!capture.ok) return capture;
  const phase = capture.value.phases.find(({ name }) => name === 'loaded20');
  const dump = phase === undefined ? null : capture.value.dump(phase);
  if (dump === null || !dump.ok) return dump ?? ok([]);
  const range = dump.value.executableArea.find((r) => Address.toText(r.start) === start);
  const page = dump.value.backing.find(({ phys }) => phys === range?.phys);
  if (page === undefined) return ok([]);
  const foreign = 64 * (page.pattern + page.zero);
  return ok([
    `  the dump of the real page ${foreign === inherited ? 'agrees' : 'DIFFERS'}: ${count(page.pattern)} of its ${count(page.blocks)} blocks hold the pattern that the workload wrote,`,
    `    ${count(page.zero)} are zero (together ${count(foreign)} bytes), ${count(page.other)} are code`,
  ]);
};

const leftoversAt = (trace: TraceView): Result<unknown> => {
  const memory = trace.at('#loaded20');
  return memory.ok ? ok(leftovers(memory.value)) : memory;
};

const deadLines = (trace: TraceView): Result<readonly string[]> => {
  const reloaded = trace.at('#reloaded1');
  if (!reloaded.ok) return reloaded;
  const found = leftovers(reloaded.value);
  const bytes = found.reduce((sum, range) => sum + range.inherited + range.dead, 0);
  const code = found.reduce((sum, range) => sum + range.inherited_code + range.dead, 0);
  return ok([
    `  after all were freed and one was loaded again (#reloaded1): ${count(bytes)} such bytes executable, ${count(code)} of them old code`,
  ]);
};

/** Where the two recordings first differ in what the kernels did, and how many kinds of difference there are. */
const differenceOf = (context: Context, a: TraceView, b: TraceView): Result<readonly string[]> => {
  const compared = compareTraces(a, b);
  if (!compared.ok) return compared;
  const { first, kinds, compared: roots } = compared.value;
  const all = kinds.map(({ name, count: times }) => `${name} (${times})`).join(', ');
  return ok([
    ...(first === null
      ? []
      : differenceLines(first, { a: a.name, b: b.name }, context.style).map((line) => `  ${line}`)),
    `  all differences in ${roots} root calls: ${all === '' ? 'none' : all}`,
  ]);
};

const emulatedLines = async (store: Store): Promise<Result<readonly string[]>> => {
  const capture = openCapture(bundledRecording(WITHOUT));
  if (!capture.ok) return capture;
  const workload = await workloadFromCapture(capture.value);
  if (!workload.ok) return workload;
  const run = simulate(store, workload.value.workload, { kernel: '6.1', seed: 1, name: EMULATED });
  if (!run.ok) return run;
  const trace = logOn(store).trace(EMULATED);
  if (!trace.ok) return trace;
  const loaded = trace.value.at('#loaded20');
  if (!loaded.ok) return loaded;
  const { packs } = stateOf(trace.value, loaded.value);
  const found = leftovers(loaded.value).reduce((sum, range) => sum + range.inherited + range.dead, 0);
  const [pack] = packs;
  return ok([
    `  ${count(run.value.report.events)} events; pack at ${pack?.start ?? '?'} on 4 KiB pages: ${count(pack?.content.program ?? 0)} bytes of programs,`,
    `    ${count(pack?.content.trap ?? 0)} of traps, ${count(found)} executable bytes that were not written for it`,
  ]);
};

/** The story of the thread, told by two recordings and an emulation. */
export const start = command({
  about:
    'The story in one screen: two recordings of the kernel that the thread of April 2022 is about, and an emulation. What npm start runs.',
  arguments: [],
  options: [],
  examples: [
    {
      line: 'pagetrail start',
      does: 'imports two bundled recordings into pagetrail.db and says what they show',
    },
  ],
  values: v.object({}),
  run: (context) =>
    writing(context, async (store) => {
      const { style } = context;
      const say = context.settings.json ? (): void => {} : context.print;
      say(
        style.bold('pagetrail: what a kernel did to its executable memory, step by step'),
        '',
        'April 2022, Linux 5.18-rc3: BPF programs share 2 MiB packs. "[PATCH bpf v2 0/3] bpf: invalidate unused part',
        'of bpf_prog_pack": does it matter what lies in the rest of a pack? Two recordings of one workload (it fills maps',
        'with a pattern, frees half of them, loads programs), without and with that series:',
        '',
      );
      const base = await record(store, bundledRecording(WITHOUT), BASE);
      if (!base.ok) return base;
      const series = await record(store, bundledRecording(WITH), SERIES);
      if (!series.ok) return series;
      const rows = [base.value, series.value].map(({ report, check }) => {
        const { predicted, adopted, foreign, unmodelled } = report.calls;
        return [
          report.trace,
          report.profile,
          count(report.events),
          percent(predicted, predicted + adopted + foreign + unmodelled),
          check,
        ];
      });
      say(
        ...table(
          [
            ['trace'],
            ['kernel'],
            ['events', 'right'],
            ['predicted', 'right'],
            ['rebuilt memory against the real page tables'],
          ],
          rows,
          style.dim,
        ).map((l) => `  ${l}`),
        '',
      );
      const log = logOn(store);
      const [without, with_] = [log.trace(BASE), log.trace(SERIES)];
      if (!without.ok) return without;
      if (!with_.ok) return with_;
      if (context.settings.json) {
        const compared = compareTraces(without.value, with_.value);
        if (!compared.ok) return compared;
        const emulated = await emulatedLines(store);
        if (!emulated.ok) return emulated;
        const [left, leftWith] = [leftoversAt(without.value), leftoversAt(with_.value)];
        if (!left.ok) return left;
        if (!leftWith.ok) return leftWith;
        context.printJson({
          imports: [base.value.report, series.value.report],
          executable_leftovers: { [BASE]: left.value, [SERIES]: leftWith.value },
          comparison: compared.value,
          emulated: EMULATED,
        });
        return ok(Exit.nothing);
      }
      const parts: readonly (readonly [string, Result<readonly string[]>])[] = [
        [style.bad('Without the series'), leftoverLines(without.value, bundledRecording(WITHOUT))],
        ['', deadLines(without.value)],
        [style.good('With the series'), leftoverLines(with_.value, bundledRecording(WITH))],
        ['', ok([''])],
        [
          style.bold('First difference in what the two kernels did'),
          differenceOf(context, without.value, with_.value),
        ],
        ['', ok([''])],
        [style.bold('The same workload emulated on 6.1'), await emulatedLines(store)],
      ];
      for (const [title, lines] of parts) {
        if (!lines.ok) return lines;
        if (title !== '') context.print(title);
        context.print(...lines.value);
      }
      const loaded = without.value.at('#loaded20');
      if (!loaded.ok) return loaded;
      const pages = leftovers(loaded.value)
        .slice(0, 1)
        .map((range) => range.start);
      context.print(
        '',
        style.bold('Go on from here') + style.dim(`  (the traces are in ${context.settings.db})`),
        ...table(
          [[''], ['']],
          [
            ...pages.map((page) => [
              `npx pagetrail why ${page} '${BASE}@#loaded20'`,
              'who made this page executable',
            ]),
            [`npx pagetrail diff ${BASE} ${SERIES}`, 'all that the series changes'],
            [`npx pagetrail shell ${BASE}`, 'step through it, forwards and back'],
          ],
        ).map((line) => `  ${line}`),
      );
      return ok(Exit.nothing);
    }),
});
