import type { Event } from '../../event/event.js';
import type { ChoiceKind } from '../../kernel/request.js';
import { parseChoice } from '../choices.js';
import { FAILURE } from './failing.js';
import type { ChoiceSource } from './machine.js';

/** The log's choices do not fit the run: another workload, another kernel, or a changed model. */
export class ChoiceMismatch extends Error {}

/** Answers with the choices of an earlier log, in order. Throws ChoiceMismatch where the log has another question at this place, or no more. */
export const loggedChoices = (events: Iterable<Event>): ChoiceSource => {
  const chosen = (function* () {
    for (const event of events) if (event.kind === 'chosen' && event.what !== FAILURE) yield event;
  })();
  return <K extends ChoiceKind>(what: K) => {
    const next = chosen.next();
    if (next.done === true) throw new ChoiceMismatch(`the log has no more choices, the run asks for ${what}`);
    if (next.value.what !== what)
      throw new ChoiceMismatch(
        `event ${next.value.seq} answers ${next.value.what}, the run asks for ${what}`,
      );
    return parseChoice(what, next.value.value);
  };
};
