import * as v from 'valibot';
import { fail, ok } from '../core/value/failure.js';
import { grouped } from '../replay/numbers.js';
import { recordingScript } from '../traces/probes/script.js';
import { record as recordHost } from '../traces/record/record.js';
import { progress } from './console/progress.js';
import { writing } from './log/open.js';
import { foundIn } from './probes.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, text } from './program/values.js';
import { importLines } from './show/imported.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 2 ** 31 - 1;

/** `10s`, `500ms`, `2m`, `1h` in milliseconds; null: it is no such time. */
const milliseconds = (time: string): number | null => {
  const [, number, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(time) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  return ms > 0 && ms <= LONGEST_MS ? ms : null;
};

export const record = command({
  about:
    'Records this host into the log: sets the probes as the script of `pagetrail probes` does, and follows what the kernel writes until Ctrl-C or for a time. ' +
    'What was recorded is durable within a second, what was lost is counted, and the probes are gone afterwards however it ends. Needs root.',
  arguments: [],
  options: [
    ['--for <time>', 'end after this time: 500ms, 10s, 2m, 1h (default: until Ctrl-C)'],
    ['--name <name>', 'name of the trace (default: host-DATE)'],
    ['--buffer <kib>', 'ring buffer per CPU in KiB (default: 16384)'],
    ['--btf <file>', 'take offsets into structures from this copy of /sys/kernel/btf/vmlinux'],
  ],
  examples: [{ line: 'pagetrail record --for 10s --name boot', does: 'ten seconds of this host, as root' }],
  values: v.object({
    for: v.optional(text),
    name: v.optional(text),
    buffer: v.optional(count),
    btf: v.optional(text),
  }),
  run: async (context, { for: time, name, buffer, btf }) => {
    const ms = time === undefined ? null : milliseconds(time);
    if (time !== undefined && ms === null)
      return fail('bad-time', `${JSON.stringify(time)} is no time`, undefined, 'write 500ms, 10s, 2m or 1h');
    const found = foundIn(btf);
    if (!found.ok) return found;
    const trace = name ?? `host-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}`;
    const end = new AbortController();
    const stop = (): void => end.abort();
    return writing(context, async (store) => {
      const shown = progress(context);
      let timer: NodeJS.Timeout | undefined;
      let died = false;
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
      try {
        const recorded = await recordHost(store, {
          name: trace,
          script: recordingScript('auto', found.value?.types ?? null),
          ...(buffer === undefined ? {} : { bufferKib: buffer }),
          signal: end.signal,
          onReady: () => {
            context.remark(`recording into ${trace}${ms === null ? ' until Ctrl-C' : ` for ${time ?? ''}`}`);
            if (ms !== null) timer = setTimeout(stop, ms);
          },
          onDied: (why) => {
            died = true;
            context.complain(
              `warning: ${why}. Its probes may still be set: look for pagetrail in /sys/kernel/tracing/instances and kprobe_events`,
            );
          },
          onCommit: (events) => {
            shown.at(() => `recording: ${grouped(events)} lines`);
          },
        });
        shown.end();
        if (!recorded.ok) return recorded;
        if (context.settings.json) context.printJson(recorded.value.report);
        else context.print(...importLines(context, recorded.value, { path: trace, again: false }));
        return ok(died ? Exit.unknown : Exit.nothing);
      } finally {
        clearTimeout(timer);
        process.off('SIGINT', stop);
        process.off('SIGTERM', stop);
      }
    });
  },
});
