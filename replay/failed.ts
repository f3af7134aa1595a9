import type { Failure, Result } from '../core/value/failure.js';

/** A failure as the library throws it and as streams end with it. */
export class PagetrailError extends Error {
  constructor(readonly failure: Failure) {
    const where = failure.where === undefined ? '' : ` (${failure.where})`;
    super(`${failure.what}${where}${failure.hint === undefined ? '' : `: ${failure.hint}`}`);
    this.name = 'PagetrailError';
  }
}

/** The value, or the failure thrown. */
export const must = <T>(result: Result<T>): T => {
  if (result.ok) return result.value;
  throw new PagetrailError(result.error);
};
