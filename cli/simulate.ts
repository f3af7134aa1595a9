import * as v from 'valibot';
import { ARCHES } from '../core/arch/arches.js';
import { Schedule } from '../core/driver/emulate/schedule.js';
import { LOCKS } from '../core/kernel/request.js';
import { FALLIBLE } from '../core/driver/emulate/faults.js';
import { PROFILES } from '../core/profile/profiles.js';
import { fail, ok } from '../core/value/failure.js';
import { parseFaults } from '../traces/simulate/faults.js';
import { kernelOf, simulate } from '../traces/simulate/simulate.js';
import { openWorkload } from '../traces/workload/open.js';
import { grouped } from '../replay/numbers.js';
import { pairs } from './console/table.js';
import { writing } from './log/open.js';
import { faultTexts, sayNever } from './program/faults.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, oneOf, text } from './program/values.js';

export const simulateCommand = command({
  about:
    'Runs a workload on an emulated kernel and appends what it did as a trace. The workload is a file (docs/workload.md) or a capture folder, whose ' +
    'operations are converted. The same workload, kernel and seed give the same events and the same root hash.',
  arguments: [['<workload>', 'workload file (JSON) or capture folder']],
  options: [
    ['--kernel <kernel>', `a kernel version, or one of ${PROFILES.map(({ name }) => name).join(', ')}`],
    ['--arch <arch>', `one of ${ARCHES.map(({ name }) => name).join(', ')} (default: x86_64)`],
    ['--pack', 'JIT memory comes from packs, also on an architecture whose JIT never did so (with --force)'],
    ['--huge', 'areas of BPF lie on large leaves, also where nothing asks for them (with --force)'],
    ['--force', 'run a kernel and architecture that never existed together'],
    ['--seed <n>', 'what is left to chance: frames, code offsets (default: 1)'],
    ['--nodes <n>', 'NUMA nodes (default: 1)'],
    [
      '--frames <how>',
      'how the frames behind an area lie: contiguous or scattered (default: as the kernel has it)',
    ],
    [
      '--fail <fault>...',
      'a call that fails: CALL[:NTH][@MARKER]=-ERRNO (docs/failures.md); NTH counts from 1 (default), * is each call, from the marker (or operation) on. ' +
        `CALL is one of ${FALLIBLE.join(', ')}`,
    ],
    [
      '--schedule <turns>',
      'which CPU runs when, as `pagetrail explore` prints it: CPU*STEPS with commas between them; the operations of a CPU are those that name it (docs/explore.md)',
    ],
    ['--without-lock <lock>...', `run a kernel that has no such lock, with --schedule: ${LOCKS.join(', ')}`],
    ['--name <name>', 'name of the trace (default: WORKLOAD-KERNEL)'],
  ],
  examples: [
    { line: 'pagetrail simulate recording/ --kernel 6.1', does: 'the same work on 6.1' },
    {
      line: 'pagetrail simulate S1.json --kernel 6.1 --fail bpf_arch_text_copy:2=-EINVAL',
      does: 'the second program cannot be copied to its place',
    },
  ],
  values: v.object({
    workload: text,
    kernel: v.optional(text),
    arch: v.optional(text, 'x86_64'),
    pack: v.optional(v.boolean(), false),
    huge: v.optional(v.boolean(), false),
    force: v.optional(v.boolean(), false),
    seed: v.optional(count, '1'),
    nodes: v.optional(
      v.pipe(count, v.minValue(1, 'nodes is not at least 1'), v.maxValue(64, 'nodes is more than 64')),
      '1',
    ),
    fail: faultTexts,
    frames: v.optional(oneOf(['contiguous', 'scattered'])),
    schedule: v.optional(text),
    withoutLock: v.optional(v.array(oneOf(LOCKS)), []),
    name: v.optional(text),
  }),
  run: async (
    context,
    { workload: path, kernel, arch, pack, huge, force, seed, nodes, fail: wanted, frames, name, ...more },
  ) => {
    // What can be wrong is found before a log is made for it.
    if (kernel === undefined)
      return fail(
        'bad-value',
        '--kernel is missing',
        undefined,
        `name a kernel version, or one of ${PROFILES.map((p) => p.name).join(', ')}`,
      );
    const named = kernelOf({ kernel, arch, pack, huge, force });
    if (!named.ok) return named;
    const opened = await openWorkload(path);
    if (!opened.ok) return opened;
    const faults = parseFaults(wanted, opened.value.workload);
    if (!faults.ok) return faults;
    const turns = more.schedule === undefined ? ok(undefined) : Schedule.parse(more.schedule);
    if (!turns.ok) return turns;
    if (turns.value === undefined && more.withoutLock.length > 0)
      return fail(
        'bad-value',
        '--without-lock makes a difference between CPUs only',
        undefined,
        'give --schedule too',
      );
    return writing(context, (store) => {
      const done = simulate(store, opened.value.workload, {
        kernel,
        arch,
        pack,
        huge,
        force,
        seed,
        nodes,
        faults: faults.value,
        ...(frames === undefined ? {} : { frames }),
        ...(turns.value === undefined ? {} : { schedule: turns.value, withoutLocks: more.withoutLock }),
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
            ['how sure', report.grade],
            ['events', grouped(report.events)],
            ...report.faults.map(({ fault, happened }): readonly [string, string] => [
              'failed',
              `${fault}, ${happened === 1 ? 'once' : `${grouped(happened)} times`}`,
            ]),
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
      return ok(sayNever(context, report.faults) ? Exit.unknown : Exit.nothing);
    });
  },
});
