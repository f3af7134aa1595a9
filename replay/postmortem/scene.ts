/** Everything that is known around an oops: what it says, and what the trace says of the same addresses at that moment. */
import type { EventOf } from '../../core/event/event.js';
import type { CodePlace, Oops, Translation } from '../../core/oops/oops.js';
import { parseRelease, type Release } from '../../core/oops/release.js';
import { translationOf } from '../../core/oops/translation.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Profile } from '../../core/profile/profile.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import { history, type HistoryItem } from '../history.js';
import type { At, TraceView } from '../log.js';
import { livesIn, type Subject } from '../subjects.js';
import { aliasHistory, NO_ALIAS, type AliasHistory } from './aliasHistory.js';
import { failedCalls, type FailedCall } from './failedCalls.js';
import { oopsMoment, type OopsMoment } from './moment.js';
import { placeOf, type Lives, type Place } from './place.js';

/** What is known without a trace. */
export interface OopsScene {
  readonly oops: Oops;
  /** The page-table line as one translation; null: not printed. */
  readonly translation: Translation | null;
  readonly release: Release | null;
  readonly traced: TracedScene | null;
}

/** What a trace adds. */
export interface TracedScene {
  readonly trace: TraceView;
  readonly profile: Profile | null;
  readonly moment: OopsMoment;
  readonly memory: Memory;
  readonly lives: Lives;
  /** The faulting address; null where the oops names none. */
  readonly place: Place | null;
  /** Where the CPU was; null where that is not known, or is the same. */
  readonly code: Place | null;
  /** The page whose history is told: the faulting one; of an alias the page that it backed last; where the address is none of the kernel's, that of the code. */
  readonly page: number | null;
  readonly history: readonly HistoryItem[];
  readonly alias: AliasHistory;
  readonly failed: readonly FailedCall[];
  readonly gaps: readonly EventOf<'gap'>[];
}

const addressSubject = (page: number): Subject => ({
  kind: 'address',
  address: Address.of(page),
  start: Address.of(page),
  bytes: PAGE_SIZE,
  from: 0,
  to: null,
});

const gapsIn = (trace: TraceView, to: number): Result<readonly EventOf<'gap'>[]> => {
  const gaps: EventOf<'gap'>[] = [];
  for (const batch of trace.batches({ from: 0, to, kinds: ['gap'] })) {
    if (!batch.ok) return batch;
    for (const event of batch.value) if (event.kind === 'gap') gaps.push(event);
  }
  return ok(gaps);
};

/** Start of the last symbol of that name published up to event `to`; null: none. */
const symbolStart = (trace: TraceView, name: string, to: number): Result<Address | null> => {
  let start: Address | null = null;
  for (const batch of trace.batches({ to, kinds: ['published'] })) {
    if (!batch.ok) return batch;
    for (const event of batch.value)
      if (event.kind === 'published' && event.name === name) start = event.start;
  }
  return ok(start);
};

/** The address of a place in code: as printed, or by its symbol, which the trace may know. */
const codeAddress = (trace: TraceView, place: CodePlace | null, to: number): Result<Address | null> => {
  if (place === null) return ok(null);
  if (place.address !== null) return ok(Address.fromBigInt(place.address));
  const start = place.symbol === null ? ok(null) : symbolStart(trace, place.symbol, to);
  if (!start.ok) return start;
  return ok(start.value === null ? null : Address.add(start.value, place.offset));
};

const changesOf = (trace: TraceView, page: number, to: number): Result<readonly HistoryItem[]> => {
  const items: HistoryItem[] = [];
  for (const item of history(trace, addressSubject(page), { to })) {
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok(items);
};

const tracedScene = (
  trace: TraceView,
  oops: Oops,
  translation: Translation | null,
  moment: OopsMoment,
): Result<TracedScene> => {
  const to = moment.seq;
  const memory = trace.at(to);
  if (!memory.ok) return memory;
  const lives = livesIn(trace);
  if (!lives.ok) return lives;
  const options = { oops, translation, memory: memory.value, lives: lives.value };
  const at = codeAddress(trace, oops.pc, to);
  if (!at.ok) return at;
  // A trap has run when it is reported: x86 shows the byte after it.
  const instruction =
    at.value !== null && oops.arch === 'x86_64' && oops.kind === 'trap'
      ? Address.add(at.value, -1)
      : at.value;
  const named = oops.address === null ? null : Address.fromBigInt(oops.address);
  const address = oops.kind === 'page-fault' ? named : (instruction ?? named);
  const first = address === null ? null : placeOf(address, options);
  const aliased =
    first?.space === 'direct' && first.pfn !== null ? aliasHistory(trace, first.pfn, to) : ok(NO_ALIAS);
  if (!aliased.ok) return aliased;
  const last = aliased.value.backed.at(-1) ?? null;
  // Of an alias whose frame backs nothing any more, those are meant that had the page it backed last.
  const before =
    first !== null &&
    first.space === 'direct' &&
    first.entry !== null &&
    first.entry.frame < 0 &&
    last !== null
      ? placeOf(Address.of(last.page, first.address.offset), options)
      : null;
  const place =
    first === null || before === null ? first : { ...first, gone: before.gone, gonePacks: before.gonePacks };
  const code = instruction === null ? null : placeOf(instruction, options);
  // Where the address is none of the kernel's, the code that went there is what has a history.
  const page =
    first === null || first.space === 'user'
      ? (code?.address.page ?? null)
      : first.space === 'direct'
        ? (last?.page ?? null)
        : first.address.page;
  const changes = page === null ? ok([]) : changesOf(trace, page, to);
  if (!changes.ok) return changes;
  const failed = failedCalls(trace, to, memory.value.vmemmap);
  if (!failed.ok) return failed;
  const gaps = gapsIn(trace, to);
  if (!gaps.ok) return gaps;
  const profile = trace.info.meta['profile'];
  return ok({
    trace,
    profile: typeof profile === 'string' ? profileNamed(profile) : null,
    moment,
    memory: memory.value,
    lives: lives.value,
    place,
    code,
    page,
    history: changes.value,
    alias: aliased.value,
    failed: failed.value,
    gaps: gaps.value,
  });
};

export interface SceneOptions {
  readonly trace: TraceView | null;
  /** Moment of the oops in the trace; null: found by its time. */
  readonly at: At | null;
  /** The trace was dumped in the text that holds the oops. */
  readonly sameText: boolean;
}

/** Gathers what is known. Failures: `other-arch`, a moment that is not there, damage of the log. */
export const sceneOf = (oops: Oops, { trace, at, sameText }: SceneOptions): Result<OopsScene> => {
  const translation = translationOf(oops);
  const text = oops.release ?? trace?.kernel ?? null;
  const release = text === null ? null : parseRelease(text);
  if (trace === null) return ok({ oops, translation, release, traced: null });
  if (trace.arch !== null && trace.arch !== oops.arch)
    return fail(
      'other-arch',
      `the oops is of ${oops.arch}, trace ${trace.name} of ${trace.arch}`,
      undefined,
      'name a trace of the machine that crashed',
    );
  const moment = oopsMoment(trace, oops, at, sameText);
  if (!moment.ok) return moment;
  const traced = tracedScene(trace, oops, translation, moment.value);
  return traced.ok ? ok({ oops, translation, release, traced: traced.value }) : traced;
};
