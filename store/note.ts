/** Signed notes (https://c2sp.org/signed-note): a text, an empty line, a line for each signature. */
import { fail, ok, type Result } from '../core/value/failure.js';
import { base64, parseBase64 } from './base64.js';

export interface NoteSignature {
  readonly name: string;
  /** Key id: 8 hex digits. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A note. Without signatures it is not yet one by the rules; it ends with its empty line all the same, so that a cut one shows. */
export interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key's name: what stands in a signature line between spaces, and in a key file before a plus. */
export const isKeyName = (name: string): boolean => /^[^\p{White_Space}\p{Cc}\p{Cs}+]+$/u.test(name);

const LINE = /^— (\S+) (\S+)$/u;
const CONTROL = /[^\P{Cc}\n]/u;

/** Longer than any note: 16 signatures of 5 kB are the most that must be taken. */
const LONGEST = 1 << 20;

const notOne = (where: string, why: string): Result<never> =>
  fail('bad-note', `this is no signed note: ${why}`, where, 'give a file that `pagetrail checkpoint` wrote');

export function parseNote(bytes: Uint8Array, where: string): Result<Note> {
  if (bytes.length > LONGEST) return notOne(where, 'it is too long');
  let all: string;
  try {
    all = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return notOne(where, 'it is not UTF-8');
  }
  if (CONTROL.test(all)) return notOne(where, 'it has control characters');
  const end = all.lastIndexOf('\n\n');
  if (end < 0) return notOne(where, 'it has no empty line after its text; it may be cut off');
  const below = all.slice(end + 2);
  if (below !== '' && !below.endsWith('\n')) return notOne(where, 'its last line is cut off');
  const signatures: NoteSignature[] = [];
  for (const line of below.split('\n').slice(0, -1)) {
    const [, name = '', text = ''] = LINE.exec(line) ?? [];
    const signature = parseBase64(text);
    if (!isKeyName(name) || signature === null || signature.length < 5)
      return notOne(where, `${JSON.stringify(line.slice(0, 40))} is no signature line`);
    signatures.push({ name, id: signature.toString('hex', 0, 4), bytes: signature.subarray(4) });
  }
  return ok({ text: all.slice(0, end + 1), signatures });
}

export const noteText = ({ text, signatures }: Note): string =>
  `${text}\n${signatures
    .map(({ name, id, bytes }) => `— ${name} ${base64(Buffer.concat([Buffer.from(id, 'hex'), bytes]))}\n`)
    .join('')}`;
