/** Exit codes of every command: design.md §7. */
export const Exit = Object.freeze({
  /** Nothing found, or done. */
  nothing: 0,
  /** Findings, differences or damage. */
  findings: 1,
  /** Bad use or bad input. */
  badUse: 2,
  /** A bug of pagetrail. */
  internal: 3,
  /** Nothing found, but something relevant is unknown. */
  unknown: 4,
});
export type Exit = 0 | 1 | 2 | 3 | 4;
