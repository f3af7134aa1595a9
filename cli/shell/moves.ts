import { eventJson } from '../../core/codec/json.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { CursorMoment } from '../../replay/cursor.js';
import { eventPrinter } from '../show/eventTable.js';
import { Session, type Answer, type ShellCommand } from './session.js';

/** Where the cursor is now, and the event there. */
export function placeAnswer(session: Session, { seq, event }: CursorMoment): Answer {
  const { trace, context, clock } = session;
  const printer = eventPrinter(context, clock, { nested: false, last: trace.info.events });
  return {
    lines: [event === null ? `before the first event of ${trace.info.events}` : printer.line(event)],
    json: { trace: trace.name, seq, event: event === null ? null : eventJson(event) },
  };
}

const moved = (session: Session, moment: Result<CursorMoment>): Result<Answer> =>
  moment.ok ? ok(placeAnswer(session, moment.value)) : moment;

const countOf = (word: string | undefined): Result<number> =>
  word === undefined
    ? ok(1)
    : /^\d{1,12}$/.test(word)
      ? ok(Number(word))
      : fail(
          'bad-count',
          `${JSON.stringify(word)} is no number of steps`,
          undefined,
          'write one, such as step 10',
        );

const steps =
  (way: 'step' | 'back'): ShellCommand['run'] =>
  (session, [word]) => {
    const count = countOf(word);
    if (!count.ok) return count;
    const before = Session.here(session).seq;
    const moment = session.cursor[way](count.value);
    if (!moment.ok) return moment;
    const answer = placeAnswer(session, moment.value);
    const short = Math.abs(moment.value.seq - before) < count.value;
    return ok(
      short ? { ...answer, lines: [...answer.lines, way === 'step' ? 'the end' : 'the start'] } : answer,
    );
  };

export const MOVES: readonly ShellCommand[] = [
  {
    names: ['step', 's', 'n'],
    usage: 'step [N]',
    about: 'forward by N events (1); an empty line goes on',
    run: steps('step'),
  },
  { names: ['back', 'b'], usage: 'back [N]', about: 'back by N events (1)', run: steps('back') },
  {
    names: ['goto', 'g'],
    usage: 'goto WHERE',
    about: 'to an event (42), a marker (#loaded8), a time (6.817602s), start, end, a bookmark',
    run: (session, words) => {
      const where = words.join(' ');
      if (where === '')
        return fail('bad-moment', 'goto needs a place', undefined, 'goto 42, goto #loaded8, goto end');
      return moved(session, session.cursor.goto(Session.where(session, where)));
    },
  },
  {
    names: ['first'],
    usage: 'first',
    about: 'before the first event',
    run: (session) => moved(session, session.cursor.first()),
  },
  {
    names: ['bookmark'],
    usage: 'bookmark [NAME]',
    about: 'give this place a name for goto and diff; without one, list them',
    run: (session, words) => {
      const name = words.join(' ');
      const { bookmarks } = session;
      if (name !== '') bookmarks.set(name, Session.here(session).seq);
      const list = [...bookmarks].map(([known, seq]) => ({ name: known, seq }));
      return ok({
        lines:
          list.length === 0 ? ['no bookmarks'] : list.map(({ name: known, seq }) => `${known}: event ${seq}`),
        json: { bookmarks: list },
      });
    },
  },
];
