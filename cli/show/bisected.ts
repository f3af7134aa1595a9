import type { Bisected, Way } from '../../replay/bisect.js';
import type { Clock } from '../../replay/clock.js';
import { eventText } from '../../replay/eventText.js';
import { circumstanceLines, eventHead } from '../../replay/historyLines.js';
import { plural } from '../../replay/numbers.js';
import { valueText } from '../../replay/when/value.js';
import type { Context } from '../console/context.js';
import { table } from '../console/table.js';

const WAYS: Readonly<Record<Way, string>> = {
  index: 'by the tables, which tell the events that matter',
  scan: 'by looking at every event of the kinds that matter',
  bisection: 'by halves: right only if it becomes true once and stays so',
};

const momentOf = (seq: number): string => (seq === 0 ? 'the start' : `event ${seq}`);

const headOf = ({ outcome, when, trace, from, to, event }: Bisected): string => {
  const where = `of ${trace}`;
  switch (outcome) {
    case 'becomes':
      return `${when}: true after event ${event?.seq ?? 0} ${where}`;
    case 'already':
      return `${when}: true already at ${momentOf(from)} ${where}`;
    case 'never':
      return `${when}: not true between ${momentOf(from)} and ${momentOf(to)} ${where}`;
    default:
      return `${when}: never known to be true between ${momentOf(from)} and ${momentOf(to)} ${where}`;
  }
};

const parts = (context: Context, found: Bisected): readonly string[] => {
  const [before, after] =
    found.outcome === 'becomes' ? ['before', 'after'] : [momentOf(found.from), momentOf(found.to)];
  return table(
    [['part'], [before], ...(found.outcome === 'already' ? [] : [[after] as const])],
    found.parts.map((part) => [
      part.text,
      valueText(part.before),
      ...(found.outcome === 'already' ? [] : [valueText(part.after)]),
    ]),
    context.style.name,
  );
};

/** What a search found, for people. */
export const bisectedLines = (context: Context, found: Bisected, clock: Clock): readonly string[] => [
  context.style.bold(headOf(found)),
  '',
  ...(found.event === null || found.around === null
    ? []
    : [
        eventHead(found.event, clock),
        `    ${eventText(found.event)}`,
        ...circumstanceLines(found.around).map((line) => `    ${line}`),
        '',
      ]),
  ...parts(context, found),
  '',
  ...(found.outcome === 'already' ? [] : [`Found ${WAYS[found.way]}; asked ${plural(found.asked, 'time')}.`]),
  ...(found.unknownSince === null
    ? []
    : [
        `Whether it is true was not known at ${momentOf(found.unknownSince)}, and may not have been at others.`,
      ]),
];
