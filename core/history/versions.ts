import { REDUCER_VERSION } from '../memory/snapshot.js';
import { TOUCHED_VERSION } from './touched.js';

/** To be raised when the columns of `history`, or what is in them, become others. */
const HISTORY_FORM = 1;

/** The derived tables that are asked, in the versions whose columns and meaning are known here. What is made from memory has the reducer's version in its own. */
export const DERIVED = {
  history: { name: 'history', version: HISTORY_FORM * 1000 + REDUCER_VERSION },
  markers: { name: 'markers', version: 1 },
  operations: { name: 'operations', version: 1 },
  lives: { name: 'lives', version: 1 },
  touched: { name: 'touched', version: TOUCHED_VERSION },
} as const;
