import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PageTable } from '../../core/memory/pageTable.js';
import { pageText } from '../../core/value/address.js';
import { random } from '../../core/value/random.js';
import { firstChange, history, lastChange } from '../../replay/history.js';
import { openLog } from '../../replay/log.js';
import { shownDiff, type ShownDiff } from '../../replay/shownDiff.js';
import { subjectOf } from '../../replay/subjects.js';
import { why } from '../../replay/why.js';
import { must, TRACES } from '../log.js';
import { peakMegabytes, percentile, secondsOf } from '../timing.js';

export interface PastInput {
  readonly log: string;
  readonly questions: number;
}

/** Milliseconds, the middle and the slowest hundredth. */
export type Times = readonly [p50: number, p99: number];

export interface PastOutput {
  /** What a page became last, and by which call: from the table. */
  readonly lastOfPage: Times;
  /** All that a page has been: from the table. */
  readonly pastOfPage: Times;
  /** The last change of anything in a page, with its calls. */
  readonly last: Times;
  readonly first: Times;
  readonly why: Times;
  /** All changes of 64 bytes and their page up to a moment. */
  readonly history: Times;
  /** The same questions as commands, from the start of the process to its end. */
  readonly lastCommand: Times;
  readonly historyCommand: Times;
  /** Of two memories at hand: all that differs is found. */
  readonly diff: Times;
  /** The same as JSON, all of it put into texts. */
  readonly diffTold: Times;
  readonly peakMegabytes: number;
}

/** Asked before any is counted. */
const WARM = 10;
/** Whole histories and commands take longer: fewer are asked for. */
const FEW = 20;

const PROGRAM = fileURLToPath(new URL('../../../bin/pagetrail.js', import.meta.url));

/** The sixteenth block of a page: mostly the middle of a program. */
const block = (page: number): string => pageText(page).replace(/...$/, '400');

const run = (args: readonly string[]): void => {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

/** Questions to the past of random pages at random moments. */
export const past = ({ log: file, questions }: PastInput): PastOutput => {
  const log = must(openLog(file));
  const trace = must(log.trace(TRACES[0]));
  const { events } = trace.info;
  const chance = random(2);
  const index = must(trace.index());
  if (index === null) throw new Error('the log has no derived tables');
  const known = must(trace.at(Math.floor(events / 2)));
  const pages = Array.from(PageTable.pages(known.virtual), ([page]) => page);
  const asked = Array.from({ length: questions + WARM }, () => ({
    page: pages[chance.below(pages.length)] as number,
    seq: 1 + chance.below(events),
  }));
  const timed = (ask: (page: number, seq: number) => unknown, of = asked): Times => {
    const times = of.map(({ page, seq }) => secondsOf(() => ask(page, seq)) * 1e3).slice(WARM);
    return [percentile(times, 0.5), percentile(times, 0.99)];
  };
  const subject = (page: number) => must(subjectOf(trace, pageText(page)));
  const lastOfPage = timed((page, seq) => must(index.pages.last(0, page, page + 1, seq)));
  const pastOfPage = timed((page, seq) => must(index.pages.past(0, page, page + 1, seq)));
  const last = timed((page, seq) => must(lastChange(trace, subject(page), seq)));
  const first = timed((page, seq) => must(firstChange(trace, subject(page), seq)));
  const causes = timed((page, seq) => must(why(trace, `0x${page.toString(16)}000`, seq)));
  const few = asked.slice(0, WARM + FEW);
  const histories = timed((page, seq) => {
    for (const item of history(trace, must(subjectOf(trace, block(page))), { to: seq })) must(item);
  }, few);
  const command = (name: string): Times =>
    timed((page, seq) => run([name, block(page), `${trace.name}@${seq}`, '--db', file]), few);
  const lastCommand = command('last');
  const historyCommand = command('history');
  const diffs: number[] = [];
  const told: number[] = [];
  for (let i = 0; i < Math.min(questions, 50); i++) {
    const from = must(trace.at(1 + chance.below(events)));
    const to = must(trace.at(1 + chance.below(events)));
    let found: ShownDiff | null = null;
    let text = '';
    const finding = secondsOf(() => {
      found = shownDiff(from, to);
    });
    const telling = secondsOf(() => {
      text = JSON.stringify(found);
    });
    if (text.length === 0) throw new Error('a diff has no text');
    diffs.push(finding * 1e3);
    told.push((finding + telling) * 1e3);
  }
  log.close();
  return {
    lastOfPage,
    pastOfPage,
    last,
    first,
    why: causes,
    history: histories,
    lastCommand,
    historyCommand,
    diff: [percentile(diffs, 0.5), percentile(diffs, 0.99)],
    diffTold: [percentile(told, 0.5), percentile(told, 0.99)],
    peakMegabytes: peakMegabytes(),
  };
};
