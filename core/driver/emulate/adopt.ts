/** Goes on from a memory that another driver made: as the beginning of a log of its own, and with the programs that were loaded by then. */
import type { Event } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import { GIVEN_PROGRAM } from '../../event/programs.js';
import { ContentClass } from '../../memory/content.js';
import { factsOf } from '../../memory/facts.js';
import { Memory, type Program } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import type { WorkloadFunction, WorkloadOperation } from '../../workload/workload.js';
import type { EmulatedFunction, EmulatedProgram } from './programs.js';

/** Numbers of programs are those of events in the other log: here they are older than the log. */
const OTHERS = GIVEN_PROGRAM + 2 ** 40;
const renumbered = (program: number): number =>
  program === 0 || program >= GIVEN_PROGRAM ? program : OTHERS + program;

const renamed = (event: Event): Event => {
  if ('program' in event) return Object.assign({}, event, { program: renumbered(event.program) });
  return event.kind === 'content' && event.class === ContentClass.program
    ? Object.assign({}, event, { ref: renumbered(event.ref) })
    : event;
};

/** A memory as what is given before the first event. */
export const givenBy = (memory: Memory): readonly Event[] =>
  factsOf(memory).map((event) =>
    Object.assign({}, renamed(event), { seq: 0, time: 0, origin: Origin.assumed }),
  );

/** Programs that are there, by who holds them. */
export interface Adopted {
  readonly slots: ReadonlyMap<number, EmulatedProgram>;
  readonly sockets: ReadonlyMap<number, EmulatedProgram>;
  /** Closed, and not given back yet. */
  readonly deferred: readonly { readonly program: EmulatedProgram; readonly fn: EmulatedFunction }[];
}

const symbolOf = (memory: Memory, program: Program) => {
  const symbols = [...Memory.symbols(memory)].filter((one) => one.program === program.number);
  return { first: symbols[0] ?? null, last: symbols.at(-1) ?? null };
};

/** Which operation was given a place last: what lay there before is gone. */
const lastAt = (operations: readonly WorkloadOperation[]): ReadonlyMap<string, WorkloadOperation> =>
  new Map(
    operations.flatMap((operation) =>
      'functions' in operation
        ? operation.functions.flatMap(({ recorded }) =>
            recorded === undefined ? [] : [[recorded.chunk, operation] as const],
          )
        : [],
    ),
  );

const programAt = (memory: Memory, { recorded }: WorkloadFunction): Program | null => {
  const at = recorded === undefined ? null : Address.parse(recorded.chunk);
  const found = at === null ? null : Memory.programAt(memory, at);
  return found !== null && at !== null && Address.equals(found.chunk, at) ? found : null;
};

/** The programs that operations have loaded, as far as they are in memory: by the place that their recording had for them. */
export const adopted = (memory: Memory, operations: readonly WorkloadOperation[]): Adopted => {
  const slots = new Map<number, EmulatedProgram>();
  const sockets = new Map<number, EmulatedProgram>();
  const deferred: { program: EmulatedProgram; fn: EmulatedFunction }[] = [];
  const latest = lastAt(operations);
  const putOff = (program: EmulatedProgram | undefined): void => {
    for (const fn of program?.functions ?? [])
      if (!fn.freed) deferred.push({ program: program as EmulatedProgram, fn });
  };
  const programOf = (
    operation: Extract<WorkloadOperation, { op: 'load' | 'attach_classic' }>,
  ): EmulatedProgram | null => {
    const own = operation.functions.length > 1;
    const found = operation.functions.map((spec) =>
      latest.get(spec.recorded?.chunk ?? '') === operation ? programAt(memory, spec) : null,
    );
    if (found.every((one) => one === null)) return null;
    const functions = operation.functions.map((spec, index): EmulatedFunction => {
      const program = found[index] ?? null;
      const { first } = program === null ? { first: null } : symbolOf(memory, program);
      return {
        index,
        spec,
        pointer: program?.pointer ?? Word.zero,
        blinded: false,
        ksym: first?.ksym ?? Word.zero,
        freed: program === null,
        allocated: program !== null,
        published: own && index > 0 && first !== null ? { start: first.start, name: first.name } : null,
      };
    });
    const main = found[0] ?? null;
    const { last } = main === null ? { last: null } : symbolOf(memory, main);
    return {
      label: operation.program,
      name: operation.op === 'load' ? (operation.name ?? operation.program) : operation.program,
      tag: operation.op === 'load' ? (operation.tag ?? '') : '',
      id: main?.id ?? 0,
      capable: operation.capable,
      classic: operation.op === 'attach_classic',
      functions,
      main: {
        pointer: main?.pointer ?? Word.zero,
        ksym: last?.ksym ?? Word.zero,
        published: last === null ? null : { start: last.start, name: last.name },
      },
    };
  };
  const release = (holders: Map<number, EmulatedProgram>, key: number): void => {
    putOff(holders.get(key));
    holders.delete(key);
  };
  for (const operation of operations)
    switch (operation.op) {
      case 'load': {
        const program = programOf(operation);
        if (program === null) break;
        if (operation.slot === null) putOff(program);
        else slots.set(operation.slot, program);
        break;
      }
      case 'attach_classic': {
        const program = programOf(operation);
        if (program === null) break;
        release(sockets, operation.socket);
        sockets.set(operation.socket, program);
        break;
      }
      case 'detach_classic':
        release(sockets, operation.socket);
        break;
      case 'close':
        release(slots, operation.slot);
        break;
      default:
    }
  return { slots, sockets, deferred };
};
