import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import { readBtf } from '../traces/btf/btf.js';
import { recordingScript } from '../traces/probes/script.js';
import { typesOf, type FoundTypes } from '../traces/probes/types.js';
import { smallFile } from './log/smallFile.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

const KERNEL = /^(?:auto|\d{1,3}\.\d{1,3}(?:[.+~_-][\w.+~-]*)?)$/;

/** What a BTF file says of the structures; null: no file was given. */
export const foundIn = (path: string | undefined): Result<FoundTypes | null> => {
  if (path === undefined) return ok(null);
  const bytes = smallFile(path);
  if (!bytes.ok) return bytes;
  const btf = readBtf(bytes.value, path);
  return btf.ok ? ok(typesOf(btf.value)) : btf;
};

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
    [
      '--btf <file>',
      "a copy of that kernel's /sys/kernel/btf/vmlinux: offsets into structures are taken from it (default: by name where the kernel can, else those of the recorded kernels)",
    ],
  ],
  examples: [
    { line: 'pagetrail probes > record.sh', does: 'then, on the host: sudo sh record.sh -o capture' },
    { line: 'pagetrail import capture', does: 'what it recorded' },
  ],
  values: v.object({ kernel: v.optional(text, 'auto'), btf: v.optional(text) }),
  run: async (context, { kernel, btf }) => {
    if (!KERNEL.test(kernel))
      return fail(
        'unknown-kernel',
        `${JSON.stringify(kernel)} is no kernel version`,
        undefined,
        'write auto, or a version such as 6.1 or 5.18-rc3-packv2',
      );
    const found = foundIn(btf);
    if (!found.ok) return found;
    const missing = found.value?.missing ?? [];
    for (const struct of missing)
      context.complain(`${btf ?? ''} does not have ${struct}: what lies there is missing from the recording`);
    const script = recordingScript(kernel, found.value?.types ?? null);
    if (context.settings.json) context.printJson({ kernel, missing, script });
    else await context.write(script);
    return ok(Exit.nothing);
  },
});
