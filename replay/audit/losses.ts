/** What an audit says of events that were lost. */
import type { Coverage } from '../../core/audit/coverage.js';
import { gapText, ORDER_ONLY } from '../../core/event/trace.js';
import { plural } from '../numbers.js';

type Gap = Coverage['gaps'][number];

/** How many; a count of 0 is one that nobody knows. */
const countText = (lost: number): string =>
  lost === 0 ? 'an unknown number of events' : plural(lost, 'event');

const isOfOrder = ({ why }: Gap): boolean => why === ORDER_ONLY;

/** `3 events at event 7 (why)`, with at most so many places. */
export const lostText = (
  { lost, gaps }: { readonly lost: number; readonly gaps: readonly Gap[] },
  most: number,
): string => {
  const losses = gaps.filter((gap) => !isOfOrder(gap));
  const places = losses.slice(0, most).map(({ seq, why }) => `event ${seq} (${why})`);
  const more = losses.length > most ? ` and ${losses.length - most} more` : '';
  const said =
    losses.length === 0 && lost === 0 ? 'nothing' : `${countText(lost)} at ${places.join(', ')}${more}`;
  return [said, ...gaps.filter(isOfOrder).map(gapText)].join('; ');
};

/** One gap as a sentence. */
export const gapWarning = (gap: Gap): string =>
  isOfOrder(gap) ? gapText(gap) : `${countText(gap.lost)} lost at event ${gap.seq}: ${gap.why}`;
