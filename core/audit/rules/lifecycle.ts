/** Rules about the life of a program: I17, I23. */
import type { EventOf } from '../../event/event.js';
import { Memory, type Program } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import { MOST_FINDINGS } from '../finding.js';
import type { OpenCall } from '../calls.js';
import { FREED, PUBLISHED, WITHDRAWN, texts } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { valueOf } from '../values.js';
import { onlyPacks } from './chunks.js';
import { bytesText, placeFinding } from './places.js';

const isInside = (call: OpenCall | null, fn: string): boolean => {
  for (let at = call; at !== null; at = at.parent) if (at.fn === fn) return true;
  return false;
};

/** Longest instruction of x86; that of the others is shorter. */
const LONGEST_INSTRUCTION = 15;

/** A patch of one instruction, also where the call that asked for it was not recorded. */
const isPatch = (event: EventOf<'copied'> | EventOf<'filled'>): boolean =>
  event.kind === 'copied' &&
  (event.what === 'instruction' || (event.what === 'code' && event.length <= LONGEST_INSTRUCTION));

/** Written again and again, or published before they are written. */
const OTHER_CODE: ReadonlySet<string> = new Set(['dispatcher', 'trampoline']);

/** Event that gave a program its memory; 0: before the trace. */
const bornAt = ({ number }: Program): number => (number < 2 ** 48 ? number : 0);

const watchOrder = (audit: Audit): Watch => {
  /** Bytes of its image that were copied, by program. */
  const copied = new Map<number, number>();
  const packs = onlyPacks(audit.subject) === null;

  /** Whether withdrawals are recorded: until one is seen, or known to be probed, what takes a program for published waits. */
  let withdrawals =
    audit.subject.source === 'emulation' || WITHDRAWN.by.some((fn) => audit.subject.probed?.has(fn) === true);
  let waiting: (() => void)[] = [];
  const published = (report: () => void): void => {
    if (withdrawals) report();
    else if (waiting.length < MOST_FINDINGS) waiting.push(report);
  };
  const withdrawn = (): void => {
    withdrawals = true;
    for (const report of waiting) report();
    waiting = [];
  };

  const wrong = (
    program: Program,
    seq: number,
    pattern: string,
    what: string,
    shows: string,
    failures: readonly string[] = [],
  ): void =>
    audit.report(
      placeFinding(program.chunk, program.bytes, {
        pattern,
        message: `${program.name ?? `program:${program.number}`} at ${Address.toText(program.chunk)} ${what}`,
        from: seq,
        evidence: [
          { seq: bornAt(program), shows: 'gave the program its memory' },
          { seq, shows },
        ],
        failures,
      }),
    );

  const written = (event: EventOf<'copied'> | EventOf<'filled'>): void => {
    const program = Memory.programAt(audit.memory(), event.to);
    if (program === null || OTHER_CODE.has(program.type)) return;
    if (isPatch(event)) return;
    audit.checked(event);
    if (event.kind === 'copied' && event.what === 'image')
      copied.set(program.number, (copied.get(program.number) ?? 0) + event.length);
    if (program.state !== 'live') return;
    published(() =>
      wrong(
        program,
        event.seq,
        'code that is published is overwritten',
        `was overwritten while its symbol was published`,
        event.kind === 'copied' ? 'copied over it' : 'filled it',
      ),
    );
  };

  return {
    entered: Object.fromEntries(WITHDRAWN.by.map((fn) => [fn, withdrawn])),
    before: {
      copied: written,
      filled: written,
      'program-finalized': (event) => {
        const program = Memory.program(audit.memory(), event.program);
        if (program === null || program.state !== 'allocated') return;
        audit.checked(event);
        if ((copied.get(program.number) ?? 0) < program.bytes)
          wrong(
            program,
            event.seq,
            'a program is finalized before its code was copied',
            'was finalized before all of its code was copied',
            'finalized it',
          );
      },
      published: (event) => {
        const program = Memory.program(audit.memory(), event.program);
        if (program === null || OTHER_CODE.has(program.type)) return;
        audit.checked(event);
        if (program.state === 'allocated')
          wrong(
            program,
            event.seq,
            'a program is published before it was finalized',
            'was published before it was finalized',
            'published it',
          );
      },
      'program-freed': (event) => {
        const program = Memory.program(audit.memory(), event.program);
        copied.delete(event.program);
        if (program === null) return;
        audit.checked(event);
        if (program.symbols > 0)
          published(() =>
            wrong(
              program,
              event.seq,
              'a program is freed while it is published',
              'was freed while its symbol was published',
              'gave its memory back',
            ),
          );
        else if (packs && program.state === 'allocated' && isInside(audit.calls.of(event), 'bpf_jit_free'))
          wrong(
            program,
            event.seq,
            'a program is freed before it was finalized',
            'was freed before it was finalized: the size in its header was never written',
            'gave its memory back',
            ['F6'],
          );
      },
    },
  };
};

export const I17: Rule = Object.freeze({
  id: 'I17',
  title: 'a program gets memory, is copied, finalized, published, withdrawn and freed in this order',
  severity: 'error',
  rationale: 'Out of order, code runs that is not there yet, or no more.',
  exceptions: [
    'Patches of single instructions of published code are allowed.',
    'The dispatcher is written half by half while it is published.',
    'A program whose load fails is freed without having been published.',
    'Readers that are still in the code are not recorded: that they are waited for (RCU) is not judged.',
  ],
  applies: always,
  needs: (subject: Subject) => [PUBLISHED, WITHDRAWN, FREED, ...texts(subject)],
  watch: watchOrder,
});

const NO_BUFFERS =
  'kvmalloc and kvfree of the buffer are not recorded: only a second finalization, or a free without one, shows';

const watchBuffers = (audit: Audit): Watch => {
  const report = (program: Program, seq: number, pattern: string, message: string, shows: string): void =>
    audit.report(
      placeFinding(program.chunk, program.bytes, {
        pattern,
        message: `${bytesText(program.chunk, program.bytes)}: ${message}`,
        from: seq,
        evidence: [
          { seq: bornAt(program), shows: 'gave the program its memory and its buffer' },
          { seq, shows },
        ],
        failures: ['F6'],
      }),
    );
  return {
    begin: () => audit.unknown(NO_BUFFERS),
    entered: {
      bpf_jit_binary_pack_finalize: (event) => {
        const header = valueOf(event, 'ro_header');
        if (header === null) return;
        const program = Memory.programAt(audit.memory(), Word.toAddress(header));
        if (program === null) return;
        audit.checked(event);
        if (program.state !== 'allocated')
          report(
            program,
            event.seq,
            'a buffer is freed twice',
            'it was finalized before, its buffer is gone',
            'finalizes it again, which frees the buffer',
          );
      },
      bpf_jit_binary_pack_free: (event) => {
        const header = valueOf(event, 'ro_header');
        const buffer = valueOf(event, 'rw_header');
        if (header === null || buffer === null || !Word.isZero(buffer)) return;
        const program = Memory.programAt(audit.memory(), Word.toAddress(header));
        if (program === null) return;
        audit.checked(event);
        if (program.state === 'allocated')
          report(
            program,
            event.seq,
            'a buffer is never freed',
            'it was never finalized, and is freed without its buffer',
            'frees it without its buffer',
          );
      },
    },
  };
};

export const I23: Rule = Object.freeze({
  id: 'I23',
  title: 'the writable buffer of an image is freed once',
  severity: 'warning',
  rationale: 'Freed twice it corrupts the allocator; never freed it is lost memory that holds code.',
  exceptions: [
    'The allocation and free of the buffer are not recorded: without a finding the verdict is unknown.',
  ],
  applies: onlyPacks,
  beyond: NO_BUFFERS,
  watch: watchBuffers,
});
