import { readFileSync } from 'node:fs';
import { fail, ok, type Result } from '../../core/value/failure.js';

/** The bytes of a file that fits in memory: a key, a checkpoint, a proof. */
export function smallFile(path: string): Result<Uint8Array> {
  try {
    return ok(readFileSync(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT'
      ? fail('no-such-file', 'there is no such file', path, 'check the path')
      : fail('unreadable', 'this file cannot be read', path, 'check what it is and its permissions');
  }
}

export function smallText(path: string): Result<string> {
  const bytes = smallFile(path);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString('utf8')) : bytes;
}
