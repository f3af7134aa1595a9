import { TOUCHED_VERSION } from './touched.js';

/** The derived tables that are asked, in the versions whose columns and meaning are known here. */
export const DERIVED = {
  history: { name: 'history', version: 1 },
  markers: { name: 'markers', version: 1 },
  operations: { name: 'operations', version: 1 },
  lives: { name: 'lives', version: 1 },
  touched: { name: 'touched', version: TOUCHED_VERSION },
} as const;
