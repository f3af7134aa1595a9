import { existsSync, rmSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import { newNoteKeys, parseVerifier } from '../store/index.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

/** Writes a file that is not there yet. */
function writeNew(path: string, content: string, mode: number): Result<null> {
  try {
    writeFileSync(path, `${content}\n`, { flag: 'wx', mode });
    return ok(null);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return error.code === 'EEXIST'
      ? fail(
          'already-there',
          'this file is there already, and keys are not overwritten',
          path,
          'name another file',
        )
      : fail('cannot-write', 'this file cannot be written', path, 'check the folder and its permissions');
  }
}

/** Both files or none. */
function writePair(path: string, secret: string, open: string): Result<null> {
  // Looked at first, so that a pair half of which is there is left as it is.
  if (existsSync(`${path}.pub`)) return writeNew(`${path}.pub`, open, 0o644);
  const first = writeNew(path, secret, 0o600);
  if (!first.ok) return first;
  const second = writeNew(`${path}.pub`, open, 0o644);
  if (!second.ok) rmSync(path);
  return second;
}

export const keyCommand = command({
  about:
    'Makes a pair of Ed25519 keys: FILE, which signs checkpoints and which only its owner can read, and FILE.pub, which checks them and is for everyone. ' +
    'Existing files are not overwritten. The keys are those of signed notes (c2sp.org/signed-note).',
  arguments: [['<name>', 'whose key it is, without spaces or plus signs: example.org/audit']],
  options: [['-o, --output <file>', 'file of the secret key (required); the public one is FILE.pub']],
  examples: [
    { line: 'pagetrail key example.org/audit -o audit.key', does: 'makes audit.key and audit.key.pub' },
  ],
  values: v.object({ name: text, output: v.optional(text) }),
  run: async (context, { name, output }) => {
    if (output === undefined)
      return fail('bad-value', 'where the key goes is missing', undefined, 'give a file: -o FILE');
    const made = newNoteKeys(name);
    if (!made.ok) return made;
    const { secret, open } = made.value;
    const written = writePair(output, secret, open);
    if (!written.ok) return written;
    const verifier = parseVerifier(open, `${output}.pub`);
    if (!verifier.ok) return verifier;
    const { id } = verifier.value;
    if (context.settings.json) context.printJson({ name, id, secret: output, public: `${output}.pub` });
    else {
      context.print(`${output} signs: keep it secret, and not beside the log`);
      context.print(`${output}.pub checks what it signs: give it to whoever checks`);
    }
    return ok(Exit.nothing);
  },
});
