/** Which faults a search tries after a run. */
import { errnosOf } from '../../kernel/errnos.js';
import type { Fault } from '../emulate/faults.js';
import type { Occasion, Trial } from './trial.js';

/** Allocations that go on failing once memory is short. */
const SHORTAGES = ['kvmalloc', 'alloc_pages', '__vmalloc_node_range'];
const ENOMEM = -12;

/** Of many calls in a row by one caller (the 512 pages of a pack) the first two and the last stand for all. */
const stands = ({ sibling, siblings }: Occasion): boolean => sibling <= 2 || sibling === siblings;

/** One more fault in each call that was made after those that failed, with each of its errors. `every`: also where calls in a row are alike. */
export const furtherFaults = ({ occasions }: Trial, every: boolean): Fault[] => {
  const last = Math.max(0, ...occasions.filter(({ failed }) => failed).map(({ seq }) => seq));
  return occasions
    .filter((one) => one.seq > last && (every || stands(one)))
    .flatMap(({ fn, operation, nth }) =>
      errnosOf(fn).map((errno): Fault => ({ fn, nth, from: operation, errno })),
    );
};

/** Memory is short from an operation on, in which there was an allocation. */
export const shortages = ({ occasions }: Trial): Fault[] => {
  const seen = new Set<string>();
  return occasions.flatMap(({ fn, operation }): Fault[] => {
    const key = `${fn} ${operation}`;
    if (!SHORTAGES.includes(fn) || seen.has(key)) return [];
    seen.add(key);
    return [{ fn, nth: null, from: operation, errno: ENOMEM }];
  });
};
