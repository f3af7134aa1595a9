import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK = 256 * 1024;
const PAUSE_MS = 50;

const isEmpty = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/** Bytes read into `buffer`; 0 when there is nothing at the moment. */
const readSome = async (file: FileHandle, buffer: Uint8Array): Promise<number> => {
  try {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    return bytesRead;
  } catch (error) {
    if (isEmpty(error)) return 0;
    throw error;
  }
};

/**
 * The bytes of a trace_pipe as they come, without waiting inside the kernel: an empty chunk when there is nothing at the moment. Ends once
 * `over` and nothing is left. A chunk is valid until the next one is asked for.
 */
export async function* tracePipe(
  path: string,
  over: () => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const wasOver = over();
      const length = await readSome(file, buffer);
      yield buffer.subarray(0, length);
      if (length > 0) continue;
      if (wasOver) return;
      await sleep(PAUSE_MS);
    }
  } finally {
    await file.close();
  }
}
