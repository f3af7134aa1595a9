import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The path of a capture's trace, which may be packed. */
export function tracePath(folder: string): string {
  const plain = join(folder, 'trace.txt');
  return existsSync(plain) ? plain : `${plain}.gz`;
}

/** The text of a capture's trace. */
export function readTrace(folder: string): Buffer {
  const path = tracePath(folder);
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}
