import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Event, EventKind, EventOf } from '../../../core/event/event.js';
import type { Common } from '../../../core/event/kind.js';
import { decodeSegment, type DecodeOptions } from '../../../core/codec/decode.js';

const common: Common = { seq: 1, time: 0, cpu: 0, task: 'workload-84', call: 0, origin: 0 };

type Payload<K extends EventKind> = Omit<EventOf<K>, keyof Common | 'kind'>;

/** An event of this kind: seq 1, time 0 and so on unless `over` says otherwise. */
export const event = <K extends EventKind>(
  kind: K,
  payload: Payload<K>,
  over: Partial<Common> = {},
): EventOf<K> => ({ ...common, ...over, kind, ...payload }) as unknown as EventOf<K>;

/** Decoded events; a failure is an exception with its text. */
export function decoded(bytes: Uint8Array, options?: DecodeOptions): Event[] {
  const result = decodeSegment(bytes, options);
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.what} (${result.error.where})`);
  return result.value;
}

/** The folder with package.json. */
export const projectRoot = findRoot(fileURLToPath(new URL('.', import.meta.url)));

function findRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findRoot(join(from, '..'));
}
