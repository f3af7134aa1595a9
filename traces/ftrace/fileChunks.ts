import type { FileHandle } from 'node:fs/promises';

const CHUNK = 128 * 1024;

/**
 * The bytes of a file. Two buffers take turns, one being read into while the other is used: a chunk is valid only until the next one is asked for. A new
 * buffer for each chunk would cost as much as reading it. The file is closed at the end.
 */
export async function* fileChunks(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK), Buffer.allocUnsafeSlow(CHUNK)] as const;
  const read = (turn: number) => {
    const reading = file.read(buffers[turn % 2] as Buffer, 0, CHUNK, null);
    // It may fail before anybody waits for it.
    reading.catch(() => undefined);
    return reading;
  };
  let ahead = read(0);
  let used = true;
  try {
    for (let turn = 0; ; turn++) {
      const { buffer, bytesRead } = await ahead;
      if (bytesRead === 0) return;
      ahead = read(turn + 1);
      used = false;
      yield buffer.subarray(0, bytesRead);
      used = true;
    }
  } finally {
    const close = async (): Promise<void> => file.close();
    // Whoever stops early does not wait for what was read ahead: from a pipe it may never come.
    if (used) await close();
    else void ahead.then(close, close);
  }
}
