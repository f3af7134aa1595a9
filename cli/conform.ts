import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { conform } from '../traces/conform/conform.js';
import { verdictOf, type Verdict } from '../traces/conform/verdict.js';
import { reading } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';
import { conformLines } from './show/conformed.js';

const EXIT: Readonly<Record<Verdict, Exit>> = {
  equal: Exit.nothing,
  different: Exit.findings,
  unknown: Exit.unknown,
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
      const report = conform(store, trace, capture);
      if (!report.ok) return report;
      const exit = EXIT[verdictOf(report.value)];
      if (context.settings.json) context.printJson(report.value);
      else context.print(...conformLines(context, report.value, exit));
      return ok(exit);
    }),
});
