/** The derived tables that a log of pagetrail keeps. */
import { decodeSegment } from '../core/codec/decode.js';
import { livesProjection } from '../core/history/lives.js';
import { markersProjection } from '../core/history/markers.js';
import { operationsProjection } from '../core/history/operations.js';
import { historyProjection, type Batch } from '../core/history/projection.js';
import { statesProjection } from '../core/history/statesProjection.js';
import { touchedProjection } from '../core/history/touchedProjection.js';
import type { OpenOptions } from '../store/index.js';

const decode = (bytes: Uint8Array): Batch => {
  const events = decodeSegment(bytes);
  if (!events.ok) throw new Error(events.error.what);
  return { events: events.value, bytes: bytes.length };
};

/** To open a store with: for one opened store only, because a projection follows what is appended. */
export const derivedTables = (): Pick<OpenOptions, 'projections' | 'decode'> => ({
  projections: [
    historyProjection(),
    markersProjection(),
    operationsProjection(),
    livesProjection(),
    touchedProjection(),
    statesProjection(),
  ],
  decode,
});
