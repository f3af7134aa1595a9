import { grouped } from '../../replay/numbers.js';
import type { ExploreReport, Shown } from '../../traces/explore/report.js';
import { formatOperation } from '../../traces/workload/schema.js';
import type { Context } from '../console/context.js';

/** Operations of a counterexample that are printed; all are in its file. */
const MOST = 12;

const times = (n: number, one: string, many = `${one}s`): string => `${grouped(n)} ${n === 1 ? one : many}`;

const counterexampleLines = (context: Context, one: Shown): string[] => {
  const { style } = context;
  const { frames, frees, boot } = one.choices;
  const declared = frees === 'declared' && boot === 'declared';
  const operations = one.workload.operations.slice(0, MOST);
  const more = one.operations - operations.length;
  return [
    '',
    `${style.bold(one.rule)} ${one.pattern}${one.failures.length > 0 ? ` (${one.failures.join(', ')})` : ''}`,
    `  ${one.message}`,
    `  ${times(one.operations, 'operation')}, ${one.faults.length === 0 ? 'no fault' : times(one.faults.length, 'fault')}, ${times(one.events, 'event')}; ${one.grade}`,
    ...operations.map((operation) => style.dim(`    ${formatOperation(operation)}`)),
    ...(more > 0 ? [style.dim(`    … ${more} more`)] : []),
    ...one.faults.map((fault) => `    fails: ${fault}`),
    ...(one.schedule === null ? [] : [`    schedule: ${one.schedule}`]),
    ...(one.schedule !== null || declared
      ? []
      : [`    choices: frames ${frames}, deferred frees ${frees}, boot state ${boot}`]),
    `  ${one.command}`,
  ];
};

export const exploreLines = (context: Context, report: ExploreReport, folder: string | null): string[] => {
  const { kind, runs, merged, states, complete, left, broken } = report;
  return [
    `${context.style.name(report.workload)} on ${report.kernel}, ${report.arch}: ${times(report.choices, 'combination')} of choices, ${times(runs, 'run')}, ${times(states, 'different state')}, ${grouped(merged)} runs ended in a state that was known`,
    complete
      ? `All ${kind} within the bounds were tried.`
      : context.style.odd(
          `Not all ${kind} were tried: at least ${times(left, 'run')} left when the budget was used up (--budget).`,
        ),
    broken.length === 0
      ? 'No invariant is broken.'
      : `${times(broken.length, 'way')} in which an invariant is broken, the smallest first:`,
    ...broken.flatMap((one) => counterexampleLines(context, one)),
    ...(broken.length > 0 && folder === null
      ? ['', 'The files that these commands name are written with --out FOLDER.']
      : []),
  ];
};
