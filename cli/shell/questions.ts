import { eventJson } from '../../core/codec/json.js';
import type { Event } from '../../core/event/event.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import { diffSections } from '../../replay/diffSections.js';
import { history, historyJson, lastChange, type HistoryItem } from '../../replay/history.js';
import { whyLines } from '../../replay/historyLines.js';
import { stateOf } from '../../replay/state.js';
import { stateSections } from '../../replay/stateSections.js';
import { subjectAt, subjectOf, subjectText, type Subject } from '../../replay/subjects.js';
import { why, whyJson } from '../../replay/why.js';
import { diffOfStates } from '../show/diffed.js';
import { eventPrinter } from '../show/eventTable.js';
import { changeText } from '../show/history.js';
import { sectionLines } from '../show/sections.js';
import { notInDirectMap } from '../../replay/directMap.js';
import { placeAnswer } from './moves.js';
import { Session, type ShellCommand } from './session.js';

const MOST = 10;
const AROUND = 10;

const subjectIn = (session: Session, words: readonly string[]): Result<Subject> => {
  const text = words.join(' ');
  return text === ''
    ? fail(
        'no-subject',
        'say what it is about',
        undefined,
        'an address (0xffffffffc0000000), a program (its name, id or tag) or pack:ADDRESS',
      )
    : subjectOf(session.trace, text);
};

/** A subject in virtual memory. */
const virtualSubjectIn = (session: Session, words: readonly string[]): Result<Subject> => {
  const subject = subjectIn(session, words);
  if (!subject.ok) return subject;
  const direct = notInDirectMap(session.trace, subject.value.start);
  return direct.ok ? subject : direct;
};

const historyOf: ShellCommand['run'] = (session, words) => {
  const subject = virtualSubjectIn(session, words);
  if (!subject.ok) return subject;
  const items: HistoryItem[] = [];
  for (const item of history(session.trace, subject.value, { to: Session.here(session).seq })) {
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok({
    lines: [
      subjectAt(subject.value, Session.here(session).seq),
      ...items.flatMap((item) => changeText(session.context, session.clock, item)),
      ...(items.length === 0 ? ['no change so far'] : []),
    ],
    json: { subject: subjectText(subject.value), changes: items.map(historyJson) },
  });
};

const lastOf: ShellCommand['run'] = (session, words) => {
  const subject = subjectIn(session, words);
  if (!subject.ok) return subject;
  const change = lastChange(session.trace, subject.value, Session.here(session).seq);
  if (!change.ok) return change;
  const item = change.value;
  return ok({
    lines: [
      subjectAt(subject.value, Session.here(session).seq),
      ...(item === null ? ['no change so far'] : changeText(session.context, session.clock, item)),
    ],
    json: { subject: subjectText(subject.value), change: item === null ? null : historyJson(item) },
  });
};

const whyOf: ShellCommand['run'] = (session, words) => {
  const subject = subjectIn(session, words);
  if (!subject.ok) return subject;
  const address = subject.value.kind === 'address' ? subject.value.address : subject.value.start;
  const answer = why(session.trace, address, Session.here(session).seq);
  return answer.ok
    ? ok({
        lines: [
          ...(subject.value.kind === 'address' ? [] : [subjectAt(subject.value, Session.here(session).seq)]),
          ...whyLines(answer.value, session.clock),
        ],
        json: whyJson(answer.value),
      })
    : answer;
};

const stateHere: ShellCommand['run'] = (session, [word]) => {
  const memory = Session.here(session).memory.state;
  const state = stateOf(session.trace, memory);
  const sections = stateSections(state, memory);
  const lines = sectionLines(session.context, sections, word === 'all' ? Infinity : MOST);
  return ok({ lines: lines.map((line) => line.replace('(--all)', '(state all)')), json: state });
};

const diffTo: ShellCommand['run'] = (session, words) => {
  const { trace, context } = session;
  const other = trace.find(Session.where(session, words.join(' ') || 'start'));
  if (!other.ok) return other;
  const here = { trace: trace.name, seq: Session.here(session).seq };
  const [a, b] = other.value.seq <= here.seq ? [other.value, here] : [here, other.value];
  const found = diffOfStates({ trace, moment: a }, { trace, moment: b });
  if (!found.ok) return found;
  const lines = sectionLines(context, diffSections(found.value.diff), MOST);
  return ok({
    lines: [`from event ${a.seq} to event ${b.seq}`, ...lines.map((line) => line.replace(' (--all)', ''))],
    json: { from: a, to: b, open: found.value.open, ...found.value.diff },
  });
};

/** Events before and after this place. */
const eventsAround: ShellCommand['run'] = (session, [word = String(AROUND)]) => {
  if (!/^\d{1,6}$/.test(word))
    return fail('bad-count', `${JSON.stringify(word)} is no number of events`, undefined, 'events 20');
  const { seq } = Session.here(session);
  const before = Math.floor(Number(word) / 2);
  const from = Math.max(0, seq - before);
  const to = Math.min(session.trace.info.events, from + Number(word));
  const events: Event[] = [];
  for (const batch of session.trace.batches({ from, to })) {
    if (!batch.ok) return batch;
    for (const event of batch.value) events.push(event);
  }
  const printer = eventPrinter(session.context, session.clock, { nested: true, last: to });
  return ok({
    lines: events.map((event) => `${event.seq === seq ? '>' : ' '} ${printer.line(event)}`),
    json: { events: events.map(eventJson) },
  });
};

const markers: ShellCommand['run'] = (session) => {
  const list = session.trace.markers();
  if (!list.ok) return list;
  return ok({
    lines:
      list.value.length === 0
        ? ['no markers']
        : list.value.map(({ seq, time, text }) => `${seq}  ${session.clock(time)}  ${text}`),
    json: { markers: list.value.map(({ seq, text }) => ({ seq, text })) },
  });
};

const SUBJECT = 'ADDRESS | PROGRAM | pack:ADDRESS';

export const QUESTIONS: readonly ShellCommand[] = [
  {
    names: ['events', 'e'],
    usage: 'events [N]',
    about: `N events around this place (${AROUND})`,
    run: eventsAround,
  },
  { names: ['markers'], usage: 'markers', about: 'all markers of the trace', run: markers },
  { names: ['state'], usage: 'state [all]', about: 'executable memory here', run: stateHere },
  {
    names: ['diff'],
    usage: 'diff [WHERE]',
    about: 'what differs between here and there (start)',
    run: diffTo,
  },
  { names: ['last'], usage: `last ${SUBJECT}`, about: 'the last change before here', run: lastOf },
  { names: ['why'], usage: `why ${SUBJECT}`, about: 'how it came to be what it is here', run: whyOf },
  { names: ['history'], usage: `history ${SUBJECT}`, about: 'all its changes up to here', run: historyOf },
  {
    names: ['where', 'w'],
    usage: 'where',
    about: 'this place and its event',
    run: (session) => ok(placeAnswer(session, Session.here(session))),
  },
];
