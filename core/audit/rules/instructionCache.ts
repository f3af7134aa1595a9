/** I9: processors that cache instructions see the new code. */
import { Memory } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { placeFinding } from './places.js';

/** Bytes of a program, from its beginning; `to` is the first behind them. */
interface Part {
  readonly from: number;
  readonly to: number;
}

/** What is left of `parts` without the bytes `from` to `to`. */
const without = (parts: readonly Part[], from: number, to: number): Part[] =>
  parts.flatMap((part) =>
    [
      { from: part.from, to: Math.min(part.to, from) },
      { from: Math.max(part.from, to), to: part.to },
    ].filter((left) => left.from < left.to),
  );

const watch = (audit: Audit): Watch => {
  /** Of each program: the last write, and what no flush has covered since, as bytes from its beginning. */
  const written = new Map<number, { seq: number; parts: Part[] }>();
  let flushes = 0;

  const wrote = (at: Address, length: number, seq: number): void => {
    const program = Memory.programAt(audit.memory(), at);
    if (program === null) return;
    const from = Address.minus(at, program.chunk);
    const parts = without(written.get(program.number)?.parts ?? [], from, from + length);
    written.set(program.number, { seq, parts: [...parts, { from, to: from + length }] });
  };
  const used = (number: number, seq: number): void => {
    const last = written.get(number)?.seq;
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
      copied: (event) => wrote(event.to, event.length, event.seq),
      filled: (event) => {
        if (event.way === 'poke') wrote(event.to, event.length, event.seq);
      },
      'icache-flushed': (event) => {
        flushes++;
        for (const [number, one] of written) {
          const program = Memory.program(audit.memory(), number);
          if (program === null) written.delete(number);
          else {
            const from = Address.minus(event.at, program.chunk);
            one.parts = without(one.parts, from, from + event.length);
            if (one.parts.length === 0) written.delete(number);
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
