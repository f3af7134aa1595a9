/** Rules about packs and their chunks: I4, I5, I19. */
import type { EventOf } from '../../event/event.js';
import { CHUNK, chunkIndex } from '../../memory/evolvePacks.js';
import { Memory, type Pack } from '../../memory/memory.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Word } from '../../value/words.js';
import type { Allocation } from '../allocations.js';
import { AREAS_FREED, chunkCalls } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { valueOf } from '../values.js';
import { bytesText, placeFinding } from './places.js';

const roundUp = (bytes: number): number => Math.ceil(bytes / CHUNK) * CHUNK;

export const onlyPacks = ({ profile }: Subject): string | null =>
  profile === null || profile.allocator === 'pack'
    ? null
    : 'this kernel has no packs: each image has an area of its own';

const packOf = (memory: Memory, start: number): Pack | null =>
  memory.packs.find((pack) => pack.start === start) ?? null;

/** First taken chunk of a range, or -1. */
const firstTaken = (pack: Pack, first: number, chunks: number): number => {
  for (let chunk = first; chunk < first + chunks; chunk++)
    if (((pack.used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0) return chunk;
  return -1;
};

const OLDER = 'which chunks were taken before the trace is not known';

const watchTaken = (audit: Audit): Watch => {
  const requested = (event: EventOf<'chunk-allocated'>): void => {
    const call = audit.calls.of(event);
    if (call?.fn !== 'bpf_prog_pack_alloc') return;
    const size = valueOf(call.entered, 'size');
    if (size === null || roundUp(size.lo) === roundUp(event.bytes)) return;
    audit.report(
      placeFinding(event.at, event.bytes, {
        pattern: 'another number of chunks was taken than the size needs',
        message: `${bytesText(event.at, event.bytes)} were taken for ${size.lo} bytes`,
        from: event.seq,
        evidence: [
          { seq: call.seq, shows: `asked for ${size.lo} bytes` },
          { seq: event.seq, shows: `took ${event.bytes} bytes` },
        ],
      }),
    );
  };
  return {
    before: {
      'chunk-allocated': (event) => {
        audit.checked(event);
        requested(event);
        if (event.pack === 0) return;
        const pack = packOf(audit.memory(), event.pack);
        if (pack === null) return audit.unknown('the pack of a chunk is not known', event.at.page);
        const first = chunkIndex(pack, event.at);
        const chunks = event.bytes / CHUNK;
        if (first < 0 || !Number.isInteger(first) || first + chunks > pack.bytes / CHUNK)
          return audit.report(
            placeFinding(event.at, event.bytes, {
              pattern: 'chunks were taken that are not in the pack',
              message: `${bytesText(event.at, event.bytes)} do not lie on chunks of the pack at ${Address.toText(Address.of(pack.start))}`,
              from: event.seq,
              evidence: [{ seq: event.seq, shows: 'took them' }],
              failures: ['F4'],
            }),
          );
        const taken = firstTaken(pack, first, chunks);
        if (taken < 0) {
          if (pack.partial) audit.unknown(OLDER, pack.start, pack.bytes / PAGE_SIZE);
          return;
        }
        const at = Address.add(Address.of(pack.start), taken * CHUNK);
        const other = audit.allocations.around(at);
        audit.report(
          placeFinding(at, CHUNK, {
            pattern: 'two images hold the same chunk',
            message: `${bytesText(event.at, event.bytes)} were taken although ${Address.toText(at)} was still held`,
            from: event.seq,
            evidence: [
              { seq: other?.seq ?? 0, shows: 'took it first' },
              { seq: event.seq, shows: 'took it again' },
            ],
            failures: ['F4'],
          }),
        );
      },
    },
  };
};

export const I4: Rule = Object.freeze({
  id: 'I4',
  title: 'images do not share chunks, and each has as many as its size needs',
  severity: 'error',
  rationale: 'Two images in one chunk: the code of one is overwritten with that of the other, and runs.',
  exceptions: ['Of a pack whose bitmap at the beginning is not known, nothing can be said.'],
  applies: onlyPacks,
  needs: chunkCalls,
  watch: watchTaken,
});

const FREES = ['vfree', 'module_memfree', 'execmem_free', 'bpf_jit_free_exec'];
const SIZE_FAILURES = ['F3', 'F6', 'F11'];

const watchGiven = (audit: Audit): Watch => {
  /** Calls of bpf_prog_pack_free that were judged by their arguments. */
  let judged = 0;

  const wrongSize = (held: Allocation, bytes: number, seq: number): void =>
    audit.report(
      placeFinding(held.at, held.bytes, {
        pattern: 'an image is given back with another size than it was given',
        message: `${bytesText(held.at, held.bytes)} were given back as ${bytes} bytes`,
        from: seq,
        evidence: [
          { seq: held.seq, shows: `gave ${held.bytes} bytes` },
          { seq, shows: `takes back ${bytes} bytes` },
        ],
        failures: SIZE_FAILURES,
      }),
    );
  const wrongStart = (at: Address, bytes: number, seq: number): void => {
    const around = audit.allocations.around(at);
    audit.report(
      placeFinding(at, bytes, {
        pattern: 'memory is given back that no image holds',
        message: `${Address.toText(at)} was given back, where no image begins${around === null ? '' : `: it lies in one at ${Address.toText(around.at)}`}`,
        from: seq,
        evidence: [
          ...(around === null ? [] : [{ seq: around.seq, shows: 'gave the memory around it' }]),
          { seq, shows: 'takes it back' },
        ],
        failures: ['F4'],
      }),
    );
  };

  /** No image is known to begin there: older than the trace, or wrong. */
  const strange = (at: Address, bytes: number, seq: number): void => {
    const pack = Memory.packAt(audit.memory(), at.page);
    const chunk = pack === null ? -1 : chunkIndex(pack, at);
    const taken = pack !== null && Number.isInteger(chunk) && firstTaken(pack, chunk, 1) >= 0;
    if (pack === null || pack.partial || (taken && audit.allocations.around(at) === null))
      audit.unknown('an image that is older than the trace was given back', at.page);
    else wrongStart(at, bytes, seq);
  };

  const freed = (event: EventOf<'entered'>): void => {
    const addr = valueOf(event, 'addr');
    if (addr === null || Word.isZero(addr)) return;
    const caller = audit.calls.of(event);
    if (caller !== null && FREES.includes(caller.fn)) return;
    const at = Word.toAddress(addr);
    const area = Memory.areaAt(audit.memory(), at.page);
    if (area === null) return;
    audit.checked(event);
    if (at.page === area.start && at.offset === 0 && area.state === 'live') return;
    const lazy = area.state === 'lazy';
    audit.report(
      placeFinding(at, PAGE_SIZE, {
        pattern: lazy
          ? 'an area is given back twice'
          : 'an area is given back by an address that is not its first',
        message: `${event.fn} of ${Address.toText(at)}: ${lazy ? 'the area was given back before' : `the area begins at ${Address.toText(Address.of(area.start))}`}`,
        from: event.seq,
        evidence: [
          { seq: area.since, shows: lazy ? 'gave it back first' : 'gave out the area' },
          { seq: event.seq, shows: 'gives it back' },
        ],
        failures: [...SIZE_FAILURES, 'F36'],
      }),
    );
  };

  return {
    entered: {
      ...Object.fromEntries(FREES.map((fn) => [fn, freed])),
      bpf_prog_pack_free: (event) => {
        const ptr = valueOf(event, 'ptr');
        const size = valueOf(event, 'size');
        if (ptr === null || size === null) return;
        const at = Word.toAddress(ptr);
        const held = audit.allocations.at(at);
        audit.checked(event);
        judged = event.seq;
        const bytes = size.lo >>> 0;
        if (held === null) strange(at, bytes, event.seq);
        else if (roundUp(bytes) !== roundUp(held.bytes)) wrongSize(held, bytes, event.seq);
      },
    },
    before: {
      'chunk-freed': (event) => {
        audit.checked(event);
        if (event.call !== 0 && event.call === judged) return;
        const held = audit.allocations.at(event.at);
        if (held === null) strange(event.at, event.bytes, event.seq);
        else if (roundUp(held.bytes) !== event.bytes) wrongSize(held, event.bytes, event.seq);
      },
    },
  };
};

export const I5: Rule = Object.freeze({
  id: 'I5',
  title: 'memory is given back where it begins, with the size that was given, and once',
  severity: 'error',
  rationale: 'A wrong size gives back chunks of others, or a whole pack while its programs run.',
  exceptions: ['Images older than the trace whose size is not known are not judged.'],
  applies: always,
  needs: (subject: Subject) => [AREAS_FREED, ...chunkCalls(subject)],
  watch: watchGiven,
});

const watchPacks = (audit: Audit): Watch => {
  /** Packs that became empty in a root call that is still open. */
  const emptied = new Map<number, { readonly pack: number; readonly seq: number }[]>();

  const kept = (pack: number, seq: number, end: number): void => {
    const now = packOf(audit.memory(), pack);
    if (now === null || now.partial || now.usedChunks > 0) return;
    audit.report(
      placeFinding(Address.of(now.start), now.bytes, {
        pattern: 'an empty pack was kept',
        message: `the pack at ${Address.toText(Address.of(now.start))} became empty and was not given back`,
        from: seq,
        evidence: [
          { seq, shows: 'gave back the last of its chunks' },
          { seq: end, shows: 'was over, and the pack still there' },
        ],
      }),
    );
  };

  const inUse = (pack: Pack, seq: number, what: string): void =>
    audit.report(
      placeFinding(Address.of(pack.start), pack.bytes, {
        pattern: 'a pack was given back while images lay in it',
        message: `the pack at ${Address.toText(Address.of(pack.start))} ${what} with ${pack.usedChunks} chunks in use`,
        from: seq,
        evidence: [{ seq, shows: 'gave it back' }],
        failures: ['F3', 'F6', 'F11'],
      }),
    );

  return {
    before: {
      'pack-removed': (event) => {
        audit.checked(event);
        const pack = packOf(audit.memory(), event.start);
        if (pack === null) return;
        if (pack.usedChunks > 0) inUse(pack, event.seq, 'was taken off the list');
        else if (pack.partial) audit.unknown(OLDER, pack.start, pack.bytes / PAGE_SIZE);
      },
      'area-freed': (event) => {
        const pack = packOf(audit.memory(), event.start);
        if (pack === null) return;
        audit.checked(event);
        inUse(pack, event.seq, 'was freed while it was on the list,');
      },
    },
    after: {
      'chunk-freed': (event) => {
        const pack = event.pack === 0 ? null : packOf(audit.memory(), event.pack);
        if (pack === null || pack.usedChunks > 0) return;
        if (pack.partial) return audit.unknown(OLDER, pack.start, pack.bytes / PAGE_SIZE);
        audit.checked(event);
        const root = audit.calls.of(event)?.root.seq ?? 0;
        if (root === 0) return;
        const list = emptied.get(root) ?? [];
        list.push({ pack: pack.start, seq: event.seq });
        emptied.set(root, list);
      },
    },
    rootEnded: (call, seq) => {
      const list = emptied.get(call.seq);
      if (list === undefined) return;
      emptied.delete(call.seq);
      for (const one of list) kept(one.pack, one.seq, seq);
    },
  };
};

export const I19: Rule = Object.freeze({
  id: 'I19',
  title: 'a pack is given back when its last chunk is, and not before',
  severity: 'error',
  rationale:
    'A pack that goes too early takes the code of running programs with it; one that never goes is lost memory.',
  exceptions: ['The dispatcher never gives its chunks back: its pack stays.'],
  applies: onlyPacks,
  needs: (subject: Subject) => [AREAS_FREED, ...chunkCalls(subject)],
  watch: watchPacks,
});
