/** I7: errors are acted upon. */
import type { EventOf } from '../../event/event.js';
import { Memory } from '../../memory/memory.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Errno } from '../../value/errno.js';
import { Word } from '../../value/words.js';
import type { OpenCall } from '../calls.js';
import { freedFrames } from '../freedFrames.js';
import { protections, resultsOfResets, textResults } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { pointerError, resultOf, valueOf } from '../values.js';
import { rangeText } from './aliases.js';
import { bytesText, placeFinding } from './places.js';

/** A call that failed. */
interface Failed {
  readonly fn: string;
  readonly result: number;
  /** Its return. */
  readonly seq: number;
  readonly at: Address;
  readonly bytes: number;
  told: boolean;
}

/** Calls that a program is protected by before it is used. */
const PERMISSIONS = ['set_memory_ro', 'set_memory_x', 'set_memory_rox'];
/** What these are where they have no functions of their own. */
const BEHIND = ['change_memory_attr', '__set_memory'];
const DIRECT = [
  'set_direct_map_invalid_noflush',
  'set_direct_map_default_noflush',
  'set_direct_map_valid_noflush',
];
const STRUCT_PAGE = 64;

const within = (one: Failed, first: number, pages: number): boolean => {
  const last = Address.add(one.at, one.bytes - 1).page;
  return one.at.page < first + pages && last >= first;
};

/** A null pointer counts as -1. */
const failureText = (result: number): string => (result === -1 ? '-EPERM or null' : Errno.toText(result));

const showsFailure = ({ fn, result, seq }: Failed) => ({
  seq,
  shows: `${fn} failed (${failureText(result)})`,
});

const watch = (audit: Audit): Watch => {
  let permissions: Failed[] = [];
  let copies: Failed[] = [];
  let fills: Failed[] = [];
  /** By pfn. */
  const direct = new Map<number, Failed>();

  const freed = freedFrames(audit);

  const permissionReturned = (event: EventOf<'returned'>, call: OpenCall | null): void => {
    const result = resultOf(event);
    const addr = call === null ? null : valueOf(call.entered, 'addr');
    const numpages = call === null ? null : valueOf(call.entered, 'numpages');
    if (result === null || addr === null || numpages === null) return;
    if (call?.parent?.fn.startsWith('set_') === true) return;
    audit.checked(event);
    const at = Word.toAddress(addr);
    const bytes = numpages.lo * (audit.subject.arch?.pageSize ?? PAGE_SIZE);
    if (result !== 0) permissions.push({ fn: event.fn, result, seq: event.seq, at, bytes, told: false });
    // Done again, and all of it, this time.
    else if (permissions.length > 0)
      permissions = permissions.filter(
        (one) =>
          one.fn !== event.fn || one.at.page < at.page || Address.minus(one.at, at) + one.bytes > bytes,
      );
  };

  const copyReturned = (event: EventOf<'returned'>, call: OpenCall | null): void => {
    const error = pointerError(event);
    const to = call === null ? null : (valueOf(call.entered, 'dst') ?? valueOf(call.entered, 'addr'));
    const len = call === null ? null : valueOf(call.entered, 'len');
    if (error === null || to === null || len === null) return;
    audit.checked(event);
    const at = Word.toAddress(to);
    copies = copies.filter((one) => !Address.equals(one.at, at));
    if (error !== 0)
      copies.push({ fn: event.fn, result: error, seq: event.seq, at, bytes: len.lo, told: false });
  };

  const directReturned = (event: EventOf<'returned'>, call: OpenCall | null): void => {
    const result = resultOf(event);
    if (result === null) return;
    audit.checked(event);
    if (result === 0) return;
    const struct = call === null ? null : valueOf(call.entered, 'page');
    const { vmemmap } = audit.memory();
    if (struct === null || Word.isZero(vmemmap))
      return audit.unknown('the page of a failed set_direct_map_* is not known');
    const pfn = Math.floor(Address.minus(Word.toAddress(struct), Word.toAddress(vmemmap)) / STRUCT_PAGE);
    if (!direct.has(pfn))
      direct.set(pfn, {
        fn: event.fn,
        result,
        seq: event.seq,
        at: Address.of(Math.max(0, pfn)),
        bytes: PAGE_SIZE,
        told: false,
      });
  };

  /** A program is put into use: what failed under it? */
  const used = (number: number, seq: number): void => {
    const program = Memory.program(audit.memory(), number);
    if (program === null) return;
    const pages = Address.add(program.chunk, program.bytes - 1).page - program.chunk.page + 1;
    for (const one of permissions) {
      if (one.told || !within(one, program.chunk.page, pages)) continue;
      one.told = true;
      audit.report(
        placeFinding(one.at, one.bytes, {
          pattern: 'a program is used although its memory could not be protected',
          message: `${one.fn} of ${rangeText(one.at.page, one.bytes / PAGE_SIZE)} failed (${failureText(one.result)}); a program there was put into use all the same`,
          from: one.seq,
          evidence: [showsFailure(one), { seq, shows: 'put the program into use' }],
          failures: ['F10'],
        }),
      );
    }
    for (const one of copies) {
      if (one.told || !Address.equals(one.at, program.chunk)) continue;
      one.told = true;
      audit.report(
        placeFinding(one.at, one.bytes, {
          pattern: 'a program is used although its code could not be copied',
          message: `${one.fn} to ${Address.toText(one.at)} failed (${failureText(one.result)}); the program there was put into use all the same`,
          from: one.seq,
          evidence: [showsFailure(one), { seq, shows: 'put the program into use' }],
          failures: ['F12'],
        }),
      );
    }
  };

  return {
    entered: {
      bpf_prog_pack_free: (event) => {
        if (copies.length === 0) return;
        const ptr = valueOf(event, 'ptr');
        if (ptr === null) return;
        const at = Word.toAddress(ptr);
        const one = copies.find((copy) => Address.equals(copy.at, at));
        if (one === undefined) return;
        const size = valueOf(event, 'size');
        const held = audit.allocations.at(at);
        // The size came from elsewhere.
        if (size !== null && held !== null && size.lo >>> 0 === held.bytes) return;
        audit.report(
          placeFinding(at, held?.bytes ?? one.bytes, {
            pattern: 'a size is read from memory to which it could not be copied',
            message: `${one.fn} to ${Address.toText(at)} failed (${failureText(one.result)}); what lies there was taken for the size${size === null ? '' : ` (${size.lo >>> 0})`}`,
            from: one.seq,
            evidence: [showsFailure(one), { seq: event.seq, shows: 'gives the memory back by that size' }],
            failures: ['F3', 'F11', 'F12'],
          }),
        );
      },
    },
    returned: {
      ...Object.fromEntries([...PERMISSIONS, ...BEHIND].map((fn) => [fn, permissionReturned])),
      ...Object.fromEntries(DIRECT.map((fn) => [fn, directReturned])),
      bpf_arch_text_copy: copyReturned,
      text_poke_copy: copyReturned,
      bpf_arch_text_invalidate: (event, call) => {
        const result = resultOf(event);
        const to = call === null ? null : valueOf(call.entered, 'dst');
        const len = call === null ? null : valueOf(call.entered, 'len');
        if (result === null || to === null || len === null) return;
        audit.checked(event);
        if (result !== 0)
          fills.push({
            fn: event.fn,
            result,
            seq: event.seq,
            at: Word.toAddress(to),
            bytes: len.lo,
            told: false,
          });
      },
    },
    before: {
      'chunk-freed': (event) => {
        copies = copies.filter((one) => !Address.equals(one.at, event.at));
        const one = fills.find(({ at }) => Address.equals(at, event.at));
        if (one === undefined) return;
        fills = fills.filter((other) => other !== one);
        audit.report(
          placeFinding(one.at, one.bytes, {
            pattern: 'chunks are given back although they could not be filled',
            message: `${one.fn} failed (${failureText(one.result)}): ${bytesText(one.at, one.bytes)} keep the old code and were given back`,
            from: one.seq,
            evidence: [showsFailure(one), { seq: event.seq, shows: 'gave the chunks back' }],
            failures: ['F2'],
          }),
        );
      },
      'frames-released': (event) => {
        const released = freed.take(event);
        if (direct.size === 0) return;
        for (const pfn of released?.frames ?? []) {
          const one = direct.get(pfn);
          if (one === undefined) continue;
          direct.delete(pfn);
          audit.report({
            ...placeFinding(one.at, PAGE_SIZE, {
              pattern: 'a page goes back to the page allocator although its direct map could not be changed',
              message: `${one.fn} of physical ${rangeText(pfn, 1)} failed (${failureText(one.result)}); the page was handed back all the same`,
              from: one.seq,
              evidence: [showsFailure(one), { seq: event.seq, shows: 'gave the page back' }],
              failures: ['F9'],
            }),
            space: 'physical',
          });
        }
      },
      identified: freed.before.identified,
      'area-freed': (event) => {
        freed.before['area-freed'](event);
        const pages = Memory.areaAt(audit.memory(), event.start)?.pages ?? 1;
        permissions = permissions.filter((one) => !within(one, event.start, pages));
        copies = copies.filter((one) => !within(one, event.start, pages));
      },
    },
    after: {
      'program-finalized': (event) => {
        if (permissions.length > 0 || copies.length > 0) used(event.program, event.seq);
      },
      published: (event) => {
        if (event.program !== 0 && (permissions.length > 0 || copies.length > 0))
          used(event.program, event.seq);
      },
    },
  };
};

export const I7: Rule = Object.freeze({
  id: 'I7',
  title:
    'after an error of set_memory_*, set_direct_map_* or a text copy nothing goes on as if it had worked',
  severity: 'error',
  rationale:
    'A program that is published although its memory could not be protected may be writable while it runs.',
  exceptions: [
    'To 6.9 BPF ignores the results of set_memory_* (F10); every kernel ignores those of set_direct_map_* in vfree (F9): both are reported when an error happens.',
  ],
  applies: always,
  needs: (subject: Subject) => [
    ...protections(subject, 'the result of'),
    ...resultsOfResets(subject),
    ...textResults(subject),
  ],
  watch,
});
