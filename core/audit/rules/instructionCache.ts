/** I9: processors that cache instructions see the new code. */
import { Memory } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { placeFinding } from './places.js';

const watch = (audit: Audit): Watch => {
  /** Last write of each program that no flush has covered since. */
  const written = new Map<number, number>();
  let flushes = 0;

  const wrote = (at: Address, seq: number): void => {
    const program = Memory.programAt(audit.memory(), at);
    if (program !== null) written.set(program.number, seq);
  };
  const used = (number: number, seq: number): void => {
    const last = written.get(number);
    const program = Memory.program(audit.memory(), number);
    if (program === null) return;
    audit.checked(null);
    if (last === undefined) return;
    if (flushes === 0 && audit.subject.source === 'recording')
      return audit.unknown('no flush of the instruction cache was recorded', program.chunk.page);
    written.delete(number);
    audit.report(
      placeFinding(program.chunk, program.bytes, {
        pattern: 'a program is used before the instruction cache was flushed',
        message: `the code at ${Address.toText(program.chunk)} was put into use after its last write without a flush of the instruction cache`,
        from: seq,
        evidence: [
          { seq: last, shows: 'wrote the code' },
          { seq, shows: 'put it into use' },
        ],
        failures: ['F21'],
      }),
    );
  };

  return {
    after: {
      copied: (event) => wrote(event.to, event.seq),
      filled: (event) => {
        if (event.way === 'poke') wrote(event.to, event.seq);
      },
      'icache-flushed': (event) => {
        flushes++;
        for (const number of written.keys()) {
          const program = Memory.program(audit.memory(), number);
          if (program === null) written.delete(number);
          else {
            const before = Address.minus(program.chunk, event.at);
            if (before >= 0 && before + program.bytes <= event.length) written.delete(number);
          }
        }
      },
      'program-finalized': (event) => used(event.program, event.seq),
      published: (event) => used(event.program, event.seq),
    },
    before: {
      'program-freed': (event) => {
        written.delete(event.program);
      },
    },
  };
};

export const I9: Rule = Object.freeze({
  id: 'I9',
  title: 'between the last write of code and its use the instruction cache is flushed',
  severity: 'error',
  rationale: 'Where instruction caches do not see stores, a processor may run what lay there before.',
  exceptions: ['On x86-64 instruction fetches see stores: it does not apply.'],
  applies: ({ arch }: Subject) =>
    arch === null
      ? 'the architecture is not known'
      : arch.coherentFetch
        ? 'instruction fetches of this architecture see stores: no flush is needed'
        : null,
  watch,
});
