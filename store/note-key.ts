/** Ed25519 keys for notes, in the form of Go's golang.org/x/mod/sumdb/note: `name+id+base64`, before it `PRIVATE+KEY+` where it is secret. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { fail, ok, type Result } from '../core/value/failure.js';
import { base64, parseBase64 } from './base64.js';
import { isKeyName, type Note, type NoteSignature } from './note.js';

const ED25519 = 1;

/** What stands before the 32 bytes of a key in its DER form (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

export interface NoteSigner {
  readonly name: string;
  readonly id: string;
  readonly sign: (text: string) => NoteSignature;
}

export interface NoteVerifier {
  readonly name: string;
  readonly id: string;
  readonly isSigned: (text: string, signature: Uint8Array) => boolean;
}

/** First 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
const keyId = (name: string, publicKey: Uint8Array): string =>
  createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(ED25519, ...publicKey))
    .digest('hex')
    .slice(0, 8);

const publicOf = (seed: Uint8Array): Buffer =>
  createPublicKey(createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }))
    .export({ format: 'der', type: 'spki' })
    .subarray(SPKI.length);

const encoded = (key: Uint8Array): string => base64(Uint8Array.of(ED25519, ...key));

/** Texts of a new pair, without newline. */
export function newNoteKeys(name: string): Result<{ readonly secret: string; readonly open: string }> {
  if (!isKeyName(name))
    return fail(
      'bad-key-name',
      `${JSON.stringify(name)} cannot name a key: spaces, plus signs and control characters are not allowed`,
      undefined,
      'a name such as example.org/audit says whose key it is',
    );
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8.length);
  const open = publicOf(seed);
  const id = keyId(name, open);
  return ok({
    secret: `PRIVATE+KEY+${name}+${id}+${encoded(seed)}`,
    open: `${name}+${id}+${encoded(open)}`,
  });
}

const SECRET = 'PRIVATE+KEY+';
const KEY = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/u;

const notOne = (where: string, hint: string): Result<never> =>
  fail('bad-key', 'this is no Ed25519 key for notes', where, hint);

/** Name, id and 32 bytes of a key text. */
function parts(text: string): { readonly name: string; readonly id: string; readonly key: Buffer } | null {
  const [, name = '', id = '', encodedKey = ''] = KEY.exec(text) ?? [];
  const bytes = parseBase64(encodedKey);
  return isKeyName(name) && bytes?.length === 33 && bytes[0] === ED25519
    ? { name, id, key: bytes.subarray(1) }
    : null;
}

const otherId = (where: string): Result<never> =>
  fail('bad-key', 'the id of this key is not that of its name and bytes: it was altered', where);

export function parseSigner(content: string, where: string): Result<NoteSigner> {
  const text = content.trim();
  const found = text.startsWith(SECRET) ? parts(text.slice(SECRET.length)) : null;
  if (found === null)
    return notOne(where, 'a key that signs begins with PRIVATE+KEY+; `pagetrail key` makes one');
  const { name, id, key: seed } = found;
  if (keyId(name, publicOf(seed)) !== id) return otherId(where);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  return ok({
    name,
    id,
    sign: (signed) => ({ name, id, bytes: sign(null, Buffer.from(signed, 'utf8'), key) }),
  });
}

export function parseVerifier(content: string, where: string): Result<NoteVerifier> {
  const text = content.trim();
  if (text.startsWith(SECRET))
    return notOne(where, 'this is the secret half: give the public one, the file ending in .pub');
  const found = parts(text);
  if (found === null) return notOne(where, '`pagetrail key` makes one, the file ending in .pub');
  const { name, id, key: open } = found;
  if (keyId(name, open) !== id) return otherId(where);
  const key = createPublicKey({ key: Buffer.concat([SPKI, open]), format: 'der', type: 'spki' });
  return ok({
    name,
    id,
    isSigned: (signed, signature) =>
      signature.length === 64 && verify(null, Buffer.from(signed, 'utf8'), key, signature),
  });
}

/** What a note's signatures say to one who trusts a key. */
export type Signed =
  /** This key has signed it. */
  | 'good'
  /** Something passes itself off as a signature of this key. */
  | 'bad'
  /** Others have signed it, this key has not. */
  | 'by-others'
  /** Nobody has signed it. */
  | 'unsigned'
  /** No key was given to check signatures with. */
  | 'not-checked';

export function signedBy({ text, signatures }: Note, verifier: NoteVerifier | null): Signed {
  if (signatures.length === 0) return 'unsigned';
  if (verifier === null) return 'not-checked';
  const own = signatures.filter(({ name, id }) => name === verifier.name && id === verifier.id);
  if (own.length === 0) return 'by-others';
  return own.every(({ bytes }) => verifier.isSigned(text, bytes)) ? 'good' : 'bad';
}
