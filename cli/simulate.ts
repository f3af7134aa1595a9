import * as v from 'valibot';
import { ARCHES } from '../core/arch/arches.js';
import { PROFILES } from '../core/profile/profiles.js';
import { fail, ok } from '../core/value/failure.js';
import { kernelOf, simulate } from '../traces/simulate/simulate.js';
import { openWorkload } from '../traces/workload/open.js';
import { grouped } from '../replay/numbers.js';
import { pairs } from './console/table.js';
import { writing } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, text } from './program/values.js';

export const simulateCommand = command({
  about:
    'Runs a workload on an emulated kernel and appends what it did as a trace. The workload is a file (docs/workload.md) or a capture folder, whose ' +
    'operations are converted. The same workload, kernel and seed give the same events and the same root hash.',
  arguments: [['<workload>', 'workload file (JSON) or capture folder']],
  options: [
    ['--kernel <kernel>', `a kernel version, or one of ${PROFILES.map(({ name }) => name).join(', ')}`],
    ['--arch <arch>', `one of ${ARCHES.map(({ name }) => name).join(', ')} (default: x86_64)`],
    ['--pack', 'JIT memory comes from packs, also on an architecture whose JIT never did so (with --force)'],
    ['--force', 'run a kernel and architecture that never existed together'],
    ['--seed <n>', 'what is left to chance: frames, code offsets (default: 1)'],
    ['--nodes <n>', 'NUMA nodes (default: 1)'],
    ['--name <name>', 'name of the trace (default: WORKLOAD-KERNEL)'],
  ],
  examples: [{ line: 'pagetrail simulate recording/ --kernel 6.1', does: 'the same work on 6.1' }],
  values: v.object({
    workload: text,
    kernel: v.optional(text),
    arch: v.optional(text, 'x86_64'),
    pack: v.optional(v.boolean(), false),
    force: v.optional(v.boolean(), false),
    seed: v.optional(count, '1'),
    nodes: v.optional(
      v.pipe(count, v.minValue(1, 'nodes is not at least 1'), v.maxValue(64, 'nodes is more than 64')),
      '1',
    ),
    name: v.optional(text),
  }),
  run: async (context, { workload: path, kernel, arch, pack, force, seed, nodes, name }) => {
    // What can be wrong is found before a log is made for it.
    if (kernel === undefined)
      return fail(
        'bad-value',
        '--kernel is missing',
        undefined,
        `name a kernel version, or one of ${PROFILES.map((p) => p.name).join(', ')}`,
      );
    const named = kernelOf({ kernel, arch, pack, force });
    if (!named.ok) return named;
    const opened = await openWorkload(path);
    if (!opened.ok) return opened;
    return writing(context, (store) => {
      const done = simulate(store, opened.value.workload, {
        kernel,
        arch,
        pack,
        force,
        seed,
        nodes,
        ...(name === undefined ? {} : { name }),
      });
      if (!done.ok) return done;
      const { report } = done.value;
      if (context.settings.json) context.printJson(report);
      else {
        context.print(
          ...pairs([
            ['trace', context.style.name(report.trace)],
            ['kernel', `${report.kernel} on ${report.arch}, seed ${report.seed}`],
            ['events', grouped(report.events)],
            ['root', report.root],
          ]),
        );
        context.remark(
          ...[...(named.value.inferred === null ? [] : [named.value.inferred]), ...opened.value.notes].map(
            (note) => context.style.dim(`note: ${note}`),
          ),
          '',
          `next: pagetrail state ${report.trace}@end`,
        );
      }
      return ok(Exit.nothing);
    });
  },
});
