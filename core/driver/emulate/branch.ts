/** An emulation that does what a log says up to a moment, and then goes its own way. */
import type { Event, EventOf } from '../../event/event.js';
import type { Profile } from '../../profile/profile.js';
import { portOf } from '../../arch/port.js';
import { encodeSegment } from '../../codec/encode.js';
import type { ChoiceKind, Choices } from '../../kernel/request.js';
import { parseChoice } from '../choices.js';
import { emulate, type Emulated, type EmulateOptions } from './emulate.js';
import { FAILURE, loggedFailures } from './failing.js';
import { faultsOf, type Fault, type Faults } from './faults.js';
import { ChoiceMismatch } from './rerun.js';

export interface BranchOptions extends Omit<
  EmulateOptions,
  'source' | 'answers' | 'fail' | 'before' | 'given'
> {
  /** Facts and events of the log up to the moment. */
  readonly given: readonly Event[];
  readonly prefix: readonly Event[];
  /** What is to fail after the moment; calls are counted from there. */
  readonly faults: readonly Fault[];
  /** Runs from the first operation after the moment on. */
  readonly become: Profile | null;
}

export interface Branched extends Emulated {
  readonly faults: Faults;
}

/** An operation of a log: a marker, or what the log says was done, with the text that was written before it. */
export interface LoggedOperation {
  readonly operation: unknown;
  /** Its first event. */
  readonly seq: number;
}

/** The operations that a log was made from, in order: markers stand in the log by themselves, or belong to the operation behind them. */
export const loggedOperations = (events: Iterable<Event>): readonly LoggedOperation[] => {
  const found: LoggedOperation[] = [];
  let markers: EventOf<'marker'>[] = [];
  const alone = ({ text, seq }: EventOf<'marker'>): void => {
    found.push({ operation: { op: 'marker', text }, seq });
  };
  for (const event of events) {
    if (event.kind === 'marker') markers.push(event);
    if (event.kind !== 'operation') continue;
    // Its number tells how many came before it.
    const before = event.index - 1 - found.length;
    markers.slice(0, before).forEach(alone);
    const mark = markers[before];
    found.push({
      operation: {
        ...(JSON.parse(event.json) as object),
        ...(mark === undefined ? {} : { mark: mark.text }),
      },
      seq: mark?.seq ?? event.seq,
    });
    markers = [];
  }
  markers.forEach(alone);
  return found;
};

const BATCH = 4096;

/** Holds what is run against what the log says, event by event. */
const comparing = (prefix: readonly Event[]): ((event: Event) => void) => {
  let batch: Event[] = [];
  return (event) => {
    if (event.seq > prefix.length) return;
    const before = prefix[event.seq - 1] as Event;
    if (before.kind !== event.kind)
      throw new ChoiceMismatch(
        `event ${event.seq} is ${before.kind} in the log and ${event.kind} in the run`,
      );
    batch.push(event);
    if (batch.length < BATCH && event.seq < prefix.length) return;
    const first = event.seq - batch.length;
    const [was, is] = [encodeSegment(prefix.slice(first, event.seq)), encodeSegment(batch)];
    if (was.length !== is.length || was.some((byte, i) => byte !== is[i]))
      throw new ChoiceMismatch(`events ${first + 1} to ${event.seq} are not those of the log`);
    batch = [];
  };
};

/** Throws ChoiceMismatch where the log cannot have come from this emulation. */
export const branch = (options: BranchOptions): Branched => {
  const { prefix, become, arch } = options;
  const last = prefix.at(-1)?.seq ?? 0;
  const chosen = prefix.filter(
    (event): event is EventOf<'chosen'> => event.kind === 'chosen' && event.what !== FAILURE,
  );
  let answered = 0;
  const logged = loggedFailures(prefix);
  const faults = faultsOf(options.faults);
  let seq = 0;
  let pending = become;
  const compare = comparing(prefix);
  const emulated = emulate({
    ...options,
    answers: (seeded, _running, pool) => {
      return <K extends ChoiceKind>(what: K, question: Choices[K]['question']): Choices[K]['answer'] => {
        const next = chosen[answered];
        if (next === undefined) return seeded(what, question);
        answered++;
        if (next.what !== what)
          throw new ChoiceMismatch(`event ${next.seq} answers ${next.what}, the run asks for ${what}`);
        const answer = parseChoice(what, next.value);
        if (what === 'frames') {
          for (const { frame, pages } of (answer as Choices['frames']['answer']) ?? [])
            pool.claim(frame, pages);
        } else seeded(what, question);
        return answer;
      };
    },
    fail: (fn, nth, args) => (seq <= last ? logged(fn, nth, args) : faults.failing(fn, nth, args)),
    before: (operation, machine) => {
      faults.began(operation);
      if (pending !== null && machine.seq() >= last) {
        machine.become(portOf(pending, arch));
        pending = null;
      }
      return true;
    },
    emit: (event) => {
      seq = event.seq;
      compare(event);
      options.emit(event);
    },
  });
  return { ...emulated, faults };
};
