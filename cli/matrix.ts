import * as v from 'valibot';
import { ARCHES } from '../core/arch/arches.js';
import { PROFILES } from '../core/profile/profiles.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { matrixOf, type MatrixKernel } from '../replay/matrix/matrix.js';
import { kernelOf } from '../traces/simulate/simulate.js';
import { openWorkload } from '../traces/workload/open.js';
import { progress } from './console/progress.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, flag, oneOf, text } from './program/values.js';
import { matrixCsv, matrixLines } from './show/matrix.js';

/** Names in a list, each once. */
const words = (list: string): string[] => [
  ...new Set(
    list
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  ),
];

const ALL = 'all';

/** Kernels and architectures by name; one that never existed is kept with the reason, or run with `force`. */
const cellsOf = (kernels: string, arches: string, force: boolean): Result<readonly MatrixKernel[]> => {
  const cells: MatrixKernel[] = [];
  const names = kernels === ALL ? PROFILES.map(({ name }) => name) : words(kernels);
  const archNames = arches === ALL ? ARCHES.map(({ name }) => name) : words(arches);
  if (names.length === 0) return fail('no-name', '--kernels names no kernel', undefined, 'Give one, or all');
  if (archNames.length === 0)
    return fail('no-name', '--arches names no architecture', undefined, 'Give one, or all');
  for (const arch of archNames)
    for (const kernel of names) {
      const found = kernelOf({ kernel, arch, force });
      if (!found.ok && found.error.code !== 'never-existed') return found;
      cells.push({
        kernel,
        arch,
        run: found.ok ? found.value : null,
        missing: found.ok ? null : found.error.what,
      });
    }
  return ok(cells);
};

export const matrix = command({
  about:
    'Runs one workload on several kernels and architectures and puts what it cost and left behind side by side: memory, page sizes, permission calls, ' +
    'splits, flushes, executable bytes that nobody wrote, results that nobody looked at, rules broken. Every machine starts empty, whatever boot state the ' +
    'workload has. Nothing is kept: `simulate` the same kernel to look closer.',
  arguments: [['<workload>', 'workload file (JSON) or capture folder']],
  options: [
    ['--kernels <list>', 'kernels, with commas between them, or `all` (default)'],
    ['--arches <list>', 'architectures, with commas between them, or `all` (default: x86_64)'],
    ['--format <format>', 'text or csv (text); --json for JSON'],
    ['--seed <n>', 'what is left to chance: frames, code offsets (default: 1)'],
    ['--nodes <n>', 'NUMA nodes (default: 1)'],
    ['--force', 'also run what never existed'],
  ],
  examples: [
    {
      line: 'pagetrail matrix recording/ --kernels 5.18-rc3,5.18-rc5,6.1',
      does: 'the same work, side by side',
    },
  ],
  values: v.object({
    workload: text,
    kernels: v.optional(text, ALL),
    arches: v.optional(text, 'x86_64'),
    format: v.optional(oneOf(['text', 'csv']), 'text'),
    seed: v.optional(count, '1'),
    nodes: v.optional(
      v.pipe(count, v.minValue(1, 'nodes is not at least 1'), v.maxValue(64, 'nodes is more than 64')),
      '1',
    ),
    force: flag,
  }),
  run: async (context, { workload: path, kernels, arches, format, seed, nodes, force }) => {
    const cells = cellsOf(kernels, arches, force);
    if (!cells.ok) return cells;
    const opened = await openWorkload(path);
    if (!opened.ok) return opened;
    const shown = progress(context);
    const done = matrixOf(opened.value.workload, cells.value, {
      seed,
      nodes,
      progress: (kernel, arch) => shown.at(() => `running ${kernel} on ${arch}`),
    });
    shown.end();
    const { workload } = opened.value;
    if (context.settings.json) context.printJson({ workload: workload.name, seed, nodes, cells: done });
    else if (format === 'csv') context.print(...matrixCsv(done));
    else context.print(...matrixLines(context, done));
    if (!context.settings.json && format === 'text')
      context.remark(...opened.value.notes.map((note) => context.style.dim(`note: ${note}`)));
    return ok(Exit.nothing);
  },
});
