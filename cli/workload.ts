import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { openWorkload } from '../traces/workload/open.js';
import { formatWorkload } from '../traces/workload/schema.js';
import { withSink } from './console/sink.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

export const workloadCommand = command({
  about:
    'Converts a capture into a workload file: its operations, code lengths and the order of deferred frees, without anything that the kernel decided. ' +
    'A workload file is checked and written again.',
  arguments: [['<capture>', 'capture folder, or a workload file to check']],
  options: [['-o, --output <file>', 'write to this file (default: standard output)']],
  examples: [
    { line: 'pagetrail workload recording/ -o S1.json', does: 'what the programs of this recording did' },
  ],
  values: v.object({ capture: text, output: v.optional(text) }),
  run: async (context, { capture, output }) => {
    const opened = await openWorkload(capture);
    if (!opened.ok) return opened;
    const written = await withSink(context, output, async (sink) => {
      await sink.write(formatWorkload(opened.value.workload));
      return ok(null);
    });
    if (!written.ok) return written;
    for (const note of opened.value.notes) context.complain(`note: ${note}`);
    return ok(Exit.nothing);
  },
});
