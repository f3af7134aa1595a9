import { COPY, MAX_HALF, REACH } from './layout.js';

/**
 * The values of all call lines of a segment, in the order of the events. Each value has a way in which it is found (layout.ts); a way equal
 * to that of the slot's last value is written as 0. Calls pass the same pointers on: most values are copied from as far back as the
 * last time their call was made, or stay the same.
 *
 * Columns: ways; number of near differences and their column; number of far values and 8 bytes each (little-endian); texts of the
 * lines that have some (0 for null, else the number of the text + 1).
 */
export const WAYS = { min: 0, max: COPY + REACH };
export const DIFFERENCES = { min: -MAX_HALF, max: MAX_HALF };
