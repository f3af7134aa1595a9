import { existsSync, rmSync, statSync } from 'node:fs';
import * as v from 'valibot';
import { ARCHES } from '../core/arch/arches.js';
import { PROFILES } from '../core/profile/profiles.js';
import { fail, ok, type Failure, type Result } from '../core/value/failure.js';
import type { Store } from '../store/index.js';
import type { Dump } from '../traces/capture/dump.js';
import { looseDump } from '../traces/capture/looseDump.js';
import { smallText } from './log/smallFile.js';
import { importTrace, type Imported } from '../traces/import/import.js';
import type { Context } from './console/context.js';
import { grouped, percent } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { writing } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';
import { importLines } from './show/imported.js';

const MB = 1e6;

/** The import, with what it has done so far on the terminal. */
async function watched(
  context: Context,
  store: Store,
  path: string,
  options: { readonly name?: string; readonly profile?: string; readonly dump?: Dump },
): Promise<Result<Imported>> {
  const shown = progress(context);
  const began = performance.now();
  let events = 0;
  const imported = await importTrace(store, path, {
    ...options,
    stdin: context.stdin,
    onBatch: (batch) => {
      events += batch.length;
    },
    onProgress: ({ done, total }) => {
      shown.at(() => {
        const speed = done / MB / ((performance.now() - began) / 1000);
        const far = total === null ? `${(done / MB).toFixed(0)} MB` : percent(done, total);
        return `importing ${path}: ${far}, ${speed.toFixed(0)} MB/s, ${grouped(events)} events`;
      });
    },
  });
  shown.end();
  return imported;
}

/** What to do about it on the command line. */
function hinted(error: Failure, path: string, store: Store, before: ReadonlySet<string>): Failure {
  if (error.code === 'nothing-to-follow') return { ...error, where: path };
  if (error.code === 'conflict' || error.code === 'complete') {
    return {
      ...error,
      hint: 'give this recording another name with --name NAME, or remove the other one with pagetrail remove',
    };
  }
  const after = store.traces();
  const part = after.ok
    ? after.value.find(({ name, complete }) => !complete && !before.has(name))
    : undefined;
  if (part === undefined) return error;
  const kept = `${grouped(part.events)} events are kept as the incomplete trace ${part.name}: import the whole file again to complete it, or remove it`;
  return { ...error, hint: error.hint === undefined ? kept : `${error.hint}; ${kept}` };
}

/** The files of a dump, for a trace that has none. */
function dumpOf(path: string, files: readonly string[]): Result<Dump> {
  if (path !== '-' && existsSync(path) && statSync(path).isDirectory())
    return fail(
      'two-dumps',
      'a capture folder has its own dump',
      path,
      'give the trace file in it with --dump',
    );
  const read: { path: string; text: string }[] = [];
  for (const file of files) {
    const content = smallText(file);
    if (!content.ok) return content;
    read.push({ path: file, text: content.value });
  }
  return looseDump(read);
}

/** A failed import leaves no log behind that was not there before. */
function removeIfNew(context: Context, isNew: boolean): void {
  if (!isNew) return;
  for (const suffix of ['', '-wal', '-shm']) rmSync(context.settings.db + suffix, { force: true });
}

export const importCommand = command({
  about:
    'Reads a recording and appends it to the log as a trace: a file as /sys/kernel/tracing/trace or `trace-cmd report` print it ' +
    '(plain or .gz, - for standard input), or a capture folder, of which the trace and the first dump are read. The kernel is ' +
    'recognised from what it does. Importing the same recording again changes nothing.',
  arguments: [['<path>', 'trace file, capture folder, or - for standard input']],
  options: [
    ['--name <name>', 'name of the trace (default: that of the folder or file)'],
    [
      '--profile <profile>',
      `follow it as this kernel (default: recognised): a version, or one of ${PROFILES.map(({ name }) => name).join(', ')}`,
    ],
    [
      '--arch <arch>',
      `its architecture, where it does not tell: ${ARCHES.map(({ name }) => name).join(', ')}`,
    ],
    [
      '--dump <file...>',
      'what a bare trace begins with: vmallocinfo, kallsyms, page_tables/kernel of debugfs, `info tlb` or `info mem` of QEMU, or pagetable.txt of a capture, known by their content',
    ],
  ],
  examples: [
    { line: 'pagetrail import recording/', does: 'a capture folder' },
    {
      line: 'ssh host cat /sys/kernel/tracing/trace | pagetrail import - --name host',
      does: 'a running host',
    },
  ],
  values: v.object({
    path: text,
    name: v.optional(text),
    profile: v.optional(text),
    arch: v.optional(text),
    dump: v.optional(v.array(text)),
  }),
  run: async (context, { path, name, profile, arch, dump: files }) => {
    const dump = files === undefined ? null : dumpOf(path, files);
    if (dump !== null && !dump.ok) return dump;
    const isNew = !existsSync(context.settings.db);
    let empty = false;
    const done = await writing(context, async (store) => {
      const traces = store.traces();
      if (!traces.ok) return traces;
      const before = new Map(traces.value.map((trace) => [trace.name, trace]));
      const imported = await watched(context, store, path, {
        ...(name === undefined ? {} : { name }),
        ...(profile === undefined ? {} : { profile }),
        ...(arch === undefined ? {} : { arch }),
        ...(dump === null ? {} : { dump: dump.value }),
      });
      if (!imported.ok) {
        const error = hinted(imported.error, path, store, new Set(before.keys()));
        const left = store.traces();
        empty = left.ok && left.value.length === 0;
        return { ok: false, error };
      }
      const { report } = imported.value;
      const known = before.get(report.trace);
      const again = known?.complete === true && known.root === report.root;
      if (context.settings.json) context.printJson(report);
      else context.print(...importLines(context, imported.value, { path, again }));
      return ok(Exit.nothing);
    });
    if (!done.ok && empty) removeIfNew(context, isNew);
    return done;
  },
});
