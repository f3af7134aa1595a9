import type { FollowCounts } from '../../core/driver/follow/follow.js';
import type { Context } from '../console/context.js';
import { grouped, percent } from '../../replay/numbers.js';

/** How much of a recording the model knew beforehand. */
export function callsText(context: Context, calls: FollowCounts): string {
  const { predicted, adopted, foreign, unmodelled, hidden } = calls;
  const all = predicted + adopted + foreign + unmodelled;
  if (all === 0) return 'no call lines';
  const share = `${grouped(predicted)} of ${grouped(all)} lines predicted (${percent(predicted, all)})`;
  const dressed = predicted / all >= 0.99 ? context.style.good(share) : context.style.odd(share);
  const rest = [
    `${grouped(adopted)} adopted`,
    `${grouped(foreign)} foreign`,
    `${grouped(unmodelled)} unmodelled`,
  ];
  return `${dressed}, ${rest.join(', ')}; ${grouped(hidden)} calls of the model not visible in it`;
}
