import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { fail, ok } from '../core/value/failure.js';
import { checkpointOf, differenceFrom, noteOf, walkChain } from '../replay/checkpoints.js';
import { noteText, rootText } from '../store/index.js';
import { percent, plural } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { withSink } from './console/sink.js';
import { reading } from './log/open.js';
import { checkpointIn, signerIn } from './log/seals.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

export const checkpointCommand = command({
  about:
    'Verifies a trace and writes a checkpoint: a few lines that say everything it holds now (c2sp.org/tlog-checkpoint). Kept elsewhere, it shows ' +
    'later with `verify --checkpoint` whether the log still begins with exactly that. A file that is there is not overwritten.',
  arguments: [['<trace>', 'name of the trace']],
  options: [
    ['--key <file>', 'sign it with this key, which `pagetrail key` made'],
    ['--since <file>', 'only if the trace still begins with what this older checkpoint saw'],
    ['-o, --output <file>', 'write to this new file (default: standard output)'],
  ],
  examples: [
    { line: 'pagetrail checkpoint S1 --key audit.key -o S1.checkpoint', does: 'a file to keep elsewhere' },
  ],
  values: v.object({
    trace: text,
    key: v.optional(text),
    since: v.optional(text),
    output: v.optional(text),
  }),
  run: (context, { trace, key, since, output }) =>
    reading(context, async (store) => {
      const signer = signerIn(key);
      if (!signer.ok) return signer;
      const older = checkpointIn(since);
      if (!older.ok) return older;
      const toFile = output !== undefined && output !== '-';
      if (toFile && existsSync(output))
        return fail(
          'already-there',
          'this file is there already, and checkpoints are not overwritten',
          output,
          'old ones are worth keeping: name another file',
        );
      const shown = progress(context);
      const chain = walkChain(store, trace, {
        progress: (events, of) => {
          shown.at(() => `verifying ${trace}: ${percent(events, of)}`);
        },
      });
      shown.end();
      if (!chain.ok) return chain;
      const checkpoint = checkpointOf(chain.value, store.file);
      if (!checkpoint.ok) return checkpoint;
      const difference = older.value && differenceFrom(chain.value, older.value.checkpoint);
      if (difference !== null)
        return fail(
          'damaged',
          `trace ${trace} does not continue the older checkpoint: ${difference}`,
          store.file,
          'find out why before anything new is signed',
        );
      const note = noteText(noteOf(checkpoint.value, signer.value));
      const { origin, size, root, events, chain: chainRoot } = checkpoint.value;
      const saysJson = context.settings.json;
      if (toFile || !saysJson) {
        const written = await withSink(context, output, async (sink) => {
          await sink.write(note);
          return ok(null);
        });
        if (!written.ok) return written;
      }
      if (saysJson)
        context.printJson({
          trace,
          origin,
          segments: size,
          events,
          root: rootText(root),
          chain: chainRoot,
          key: signer.value === null ? null : `${signer.value.name}+${signer.value.id}`,
          file: toFile ? output : null,
          checkpoint: note,
        });
      else if (toFile) {
        context.remark(`${plural(events ?? 0, 'event')} in ${plural(size, 'segment')}: ${output}`);
        context.remark('keep it where who can write the log cannot: only there it shows a forgery');
      }
      return ok(Exit.nothing);
    }),
});
