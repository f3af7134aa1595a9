/** The store's surface for other rooms. */
export type { Appended, Crashpoint, Stored } from './append.js';
export type { Json, JsonObject } from './canonical-json.js';
export { base64, parseBase64 } from './base64.js';
export { parseRoot, rootText, segmentHash } from './chain.js';
export {
  checkpointText,
  checkpointOrigin,
  parseCheckpoint,
  segmentTree,
  sha256,
  type Checkpoint,
  type CheckpointNote,
} from './checkpoint.js';
export { pack, unpack } from './codec.js';
export type { SqlInput } from './connection.js';
export type { NewTrace } from './create-trace.js';
export type { Descriptor } from './descriptors.js';
export type { EventTable } from './event-table.js';
export { signed64, unsigned64 } from './integer.js';
export type { NewSegment } from './new-segment.js';
export {
  newNoteKeys,
  parseSigner,
  parseVerifier,
  signedBy,
  type NoteSigner,
  type NoteVerifier,
  type Signed,
} from './note-key.js';
export { noteText, type Note } from './note.js';
export type { FileOptions } from './open.js';
export type { Projection, ProjectionRow, ProjectionWriter } from './projection.js';
export type { Decode, ProjectionStatus, SegmentPlace } from './projections.js';
export type { Rebuilt, RebuildProgress } from './rebuild.js';
export type { Removed, Tombstone } from './remove.js';
export { MAX_BYTES, MAX_EVENTS } from './schema.js';
export type { Segment } from './segments.js';
export type { Snapshot } from './snapshots.js';
export type { SqlAnswer, SqlRow, SqlValue } from './sql.js';
export { openStore, type OpenOptions, type Store, type TraceLog } from './store.js';
export type { TraceInfo } from './trace-info.js';
export type { TraceKey } from './trace-key.js';
export { nearNames } from './trace-name.js';
export type { Damage, DamageReason, VerifyOptions, VerifyReport } from './verify.js';
