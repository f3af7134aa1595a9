import { momentText } from '../log.js';
import { grouped, plural } from '../numbers.js';
import type { AuditReport } from './report.js';

const are = (n: number): string => (n === 1 ? 'is' : 'are');
const were = (n: number): string => (n === 1 ? 'was' : 'were');

/** What an auditor signs; the table of executable pages stands behind it. */
export const sentence = ({ moment, inventory }: AuditReport): string => {
  const { pages, older, unknown } = inventory;
  const within = pages - older;
  if (pages === 0) return `At ${momentText(moment)}, no page may be executed that the trace knows of.`;
  return (
    `At ${momentText(moment)}, ${plural(pages, 'page')} may be executed: ` +
    `${grouped(within)} ${were(within)} given out and made executable within the trace, ` +
    `${grouped(older)} ${are(older)} older than it; ` +
    `${unknown === 0 ? 'none is' : `${grouped(unknown)} ${are(unknown)}`} of unknown origin or content.`
  );
};
