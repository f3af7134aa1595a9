import { fail, ok, type Result } from '../../core/value/failure.js';
import {
  parseCheckpoint,
  parseSigner,
  parseVerifier,
  type CheckpointNote,
  type NoteSigner,
  type NoteVerifier,
  type Signed,
} from '../../store/index.js';
import { smallFile, smallText } from './smallFile.js';

/** The checkpoint in a file; null when no file was named. */
export function checkpointIn(path: string | undefined): Result<CheckpointNote | null> {
  if (path === undefined) return ok(null);
  const bytes = smallFile(path);
  return bytes.ok ? parseCheckpoint(bytes.value, path) : bytes;
}

/** The key that signs, in the file that `pagetrail key` wrote; null when none was named. */
export function signerIn(path: string | undefined): Result<NoteSigner | null> {
  if (path === undefined) return ok(null);
  const text = smallText(path);
  return text.ok ? parseSigner(text.value, path) : text;
}

/** The key that checks signatures, in the file ending in .pub; null when none was named. */
export function verifierIn(path: string | undefined): Result<NoteVerifier | null> {
  if (path === undefined) return ok(null);
  const text = smallText(path);
  return text.ok ? parseVerifier(text.value, path) : text;
}

/** A key without a checkpoint would seem to check something. */
export const keyAlone = (): Result<never> =>
  fail(
    'bad-value',
    'there is nothing that --key could check',
    undefined,
    'give the checkpoint too: --checkpoint FILE',
  );

/** What the signatures of a checkpoint say, for people. */
export const signatureText = (signature: Signed, key: string | null): string =>
  ({
    good: `good, of ${key}`,
    bad: `FORGED: it is not of the key ${key}, whose name and id it has`,
    'by-others': `of others, not of ${key}`,
    unsigned: 'there is none',
    'not-checked': 'not checked: no key was given (--key)',
  })[signature];
