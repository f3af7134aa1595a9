import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { conform, type ConformReport } from '../traces/conform/conform.js';
import { reading } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';
import { conformLines } from './show/conformed.js';

const sum = (report: ConformReport, of: (moment: ConformReport['moments'][number]) => number): number =>
  report.moments.reduce((total, moment) => total + of(moment), 0);

/** Differences and unexplained divergences are findings; executable pages or lost events that nobody knows of leave the verdict open. */
const verdict = (report: ConformReport, lost: number): Exit => {
  const found =
    sum(report, ({ differences }) => differences.length) > 0 ||
    report.divergences.some(({ explained }) => explained === null);
  if (found) return Exit.findings;
  const open = lost > 0 || sum(report, ({ executable_unknown }) => executable_unknown) > 0;
  return open ? Exit.unknown : Exit.nothing;
};

export const conformCommand = command({
  about:
    'Compares the memory rebuilt from a trace with the page tables, areas, symbols, bytes and counters that were dumped from the real kernel at each ' +
    'later phase of the capture. The import has read the first dump only. Says of each recorded call line too whether the model predicted it.',
  arguments: [
    ['<trace>', 'name of the trace'],
    ['<capture>', 'the capture folder it was recorded in'],
  ],
  options: [],
  examples: [
    {
      line: 'pagetrail conform S1 captures/S1',
      does: 'exit code 0 when all is equal, 1 when not, 4 when executable pages are unknown',
    },
  ],
  values: v.object({ trace: text, capture: text }),
  run: (context, { trace, capture }) =>
    reading(context, (store) => {
      const log = store.trace(trace);
      if (!log.ok) return log;
      const report = conform(store, trace, capture);
      if (!report.ok) return report;
      const lost = log.value.info.summary?.['lost'];
      const exit = verdict(report.value, typeof lost === 'number' ? lost : 0);
      if (context.settings.json) context.printJson(report.value);
      else
        context.print(
          ...conformLines(context, report.value, { lost: typeof lost === 'number' ? lost : 0, exit }),
        );
      return ok(exit);
    }),
});
