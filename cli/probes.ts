import * as v from 'valibot';
import { fail, ok } from '../core/value/failure.js';
import { recordingScript } from '../traces/probes/script.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

const KERNEL = /^(?:auto|\d{1,3}\.\d{1,3}(?:[.+~_-][\w.+~-]*)?)$/;

export const probes = command({
  about:
    'Prints a POSIX shell script that records on a host without Node: as root it sets kprobes in a tracing instance of its own, records until Ctrl-C or while a ' +
    'command runs, writes a folder that import reads, and puts everything back. docs/recording.md says what it needs and what it cannot see.',
  arguments: [],
  options: [
    [
      '--kernel <kernel>',
      'auto: ask the host (default); or a release or profile (6.1, 5.18-rc3-packv2) where the host names itself otherwise',
    ],
  ],
  examples: [
    { line: 'pagetrail probes > record.sh', does: 'then, on the host: sudo sh record.sh -o capture' },
    { line: 'pagetrail import capture', does: 'what it recorded' },
  ],
  values: v.object({ kernel: v.optional(text, 'auto') }),
  run: async (context, { kernel }) => {
    if (!KERNEL.test(kernel))
      return fail(
        'unknown-kernel',
        `${JSON.stringify(kernel)} is no kernel version`,
        undefined,
        'write auto, or a version such as 6.1 or 5.18-rc3-packv2',
      );
    const script = recordingScript(kernel);
    if (context.settings.json) context.printJson({ kernel, script });
    else await context.write(script);
    return ok(Exit.nothing);
  },
});
