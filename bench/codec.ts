import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { decodeSegment } from '../core/codec/decode.js';
import { encodeSegment } from '../core/codec/encode.js';
import { eventJson } from '../core/codec/json.js';
import { MAX_EVENTS } from '../core/codec/layout.js';
import type { Event } from '../core/event/event.js';
import { openStore } from '../store/index.js';
import { importTrace } from '../traces/import/import.js';
import { churn, permissions } from './churn.js';

/** One figure beside that of the same events as JSON Lines (JSON.stringify, JSON.parse) in the same run. */
export interface CodecFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'M events/s' | 'B/event';
  readonly baseline: number;
  /** How many times as good as the baseline. */
  readonly ratio: number;
}

type Batch = readonly Event[];

const batchesOf = (events: readonly Event[]): readonly Batch[] =>
  Array.from({ length: Math.ceil(events.length / MAX_EVENTS) }, (_, i) =>
    events.slice(i * MAX_EVENTS, (i + 1) * MAX_EVENTS),
  );

/** Seconds for one pass over all, of the fastest round. */
function fastest<T>(rounds: number, items: readonly T[], work: (item: T) => unknown): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (const item of items) work(item);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
  }
  return best;
}

const toLines = (batch: Batch): string => batch.map((event) => JSON.stringify(eventJson(event))).join('\n');
const fromLines = (lines: string): unknown => lines.split('\n').map((line) => JSON.parse(line) as unknown);

/** Encoding, decoding, skipping and size of these batches. */
function figures(name: string, batches: readonly Batch[], rounds: number): CodecFigure[] {
  const count = batches.reduce((sum, batch) => sum + batch.length, 0);
  const segments = batches.map(encodeSegment);
  const lines = batches.map(toLines);
  const speed = (what: string, seconds: number, baseline: number): CodecFigure => ({
    name: `${what}, ${name}`,
    value: count / seconds / 1e6,
    unit: 'M events/s',
    baseline: count / baseline / 1e6,
    ratio: baseline / seconds,
  });
  const size = (what: string, of: (bytes: Uint8Array) => number): CodecFigure => {
    const value = segments.reduce((sum, bytes) => sum + of(bytes), 0) / count;
    const baseline = lines.reduce((sum, text) => sum + of(Buffer.from(text)), 0) / count;
    return { name: `${what}, ${name}`, value, unit: 'B/event', baseline, ratio: baseline / value };
  };
  const parsing = fastest(rounds, lines, fromLines);
  return [
    speed('encode', fastest(rounds, batches, encodeSegment), fastest(rounds, batches, toLines)),
    speed(
      'decode',
      fastest(rounds, segments, (bytes) => decodeSegment(bytes)),
      parsing,
    ),
    speed(
      'decode what changes memory',
      fastest(rounds, segments, (bytes) => decodeSegment(bytes, { only: 'changesMemory' })),
      parsing,
    ),
    size('raw', (bytes) => bytes.length),
    size('deflated (level 1)', (bytes) => deflateRawSync(bytes, { level: 1 }).length),
  ];
}

/** `recorded`: batches of a real recording, where there is one. */
export const benchCodec = (recorded: readonly Batch[] = [], rounds = 20): readonly CodecFigure[] => [
  ...figures('permissions', batchesOf(permissions(16 * MAX_EVENTS)), rounds),
  ...figures('churn', batchesOf(churn(16 * MAX_EVENTS)), rounds),
  ...(recorded.length === 0 ? [] : figures('recorded', recorded, rounds)),
];

/** The events of a recording in segments, as an import makes them. */
async function recordedBatches(path: string): Promise<readonly Batch[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-bench-'));
  try {
    const store = openStore(join(folder, 'bench.db'));
    if (!store.ok) throw new Error(store.error.what);
    const batches: Batch[] = [];
    const imported = await importTrace(store.value, path, { onBatch: (batch) => batches.push(batch) });
    store.value.close();
    if (!imported.ok) throw new Error(imported.error.what);
    return batches;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `node dist/bench/codec.js [RECORDING]`: the figures as lines of text. */
async function main(path: string | undefined): Promise<void> {
  const recorded = path === undefined ? [] : await recordedBatches(path);
  for (const { name, value, unit, baseline, ratio } of benchCodec(recorded)) {
    const cells = [
      value.toFixed(2).padStart(8),
      unit.padEnd(10),
      `JSON ${baseline.toFixed(2)}, ×${ratio.toFixed(1)}`,
    ];
    console.log(`${name.padEnd(44)}${cells.join('  ')}`);
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await main(process.argv[2]);
