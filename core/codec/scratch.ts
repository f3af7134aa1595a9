import { MAX_EVENTS } from './layout.js';

const numbers = () => new Float64Array(MAX_EVENTS);

/**
 * Working memory of the codec, used again by every call, so that a segment leaves little garbage but its result. Encoding and decoding are
 * synchronous and never enter each other; nothing of this is handed out.
 */
export const SCRATCH = {
  seq: numbers(),
  time: numbers(),
  cpu: numbers(),
  task: numbers(),
  call: numbers(),
  origin: numbers(),
  shape: new Uint32Array(MAX_EVENTS),
  code: new Uint32Array(MAX_EVENTS),
  /** The column at hand. */
  column: numbers(),
};
