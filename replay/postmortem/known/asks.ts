/** Questions that several failures ask. */
import { valuesJson } from '../../../core/codec/json.js';
import { Address, pageText } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import type { Access } from '../../../core/oops/oops.js';
import { notKnown, speaksAgainst, speaksFor, type Evidence } from '../evidence.js';
import type { FailedCall } from '../failedCalls.js';
import { baseInOops, isOutsideDirectMap, type Place } from '../place.js';
import type { OopsScene, TracedScene } from '../scene.js';
import { programText } from '../../subjects.js';
import { traced, unlessLost, type Question } from './failure.js';

/** What was tried, in words. */
export const accessText = (access: Access): string =>
  access === 'execute' ? 'an instruction fetch' : `a ${access}`;

/** The fault is a page fault of one of these accesses. */
export const tried = (...accesses: readonly Access[]): Question => ({
  weight: 1,
  decisive: true,
  ask: ({ oops: { kind, access } }) => {
    if (kind !== 'page-fault') return speaksAgainst(`the oops is no page fault (${kind})`);
    if (access === null) return notKnown('the oops does not say what was tried');
    return accesses.includes(access)
      ? speaksFor(`${accessText(access)} was refused`)
      : speaksAgainst(`${accessText(access)} was refused`);
  },
});

/** The CPU executed what lies there, whatever became of it: the faulting instruction, or the code that ran into the fault. */
export const executed = ({ oops, traced: scene }: OopsScene): Place | null => {
  if (scene === null) return null;
  return oops.kind === 'page-fault' && oops.access === 'execute' ? scene.place : scene.code;
};

/** The same by the address alone: on arm64 its upper half is the linear map, on x86 the page-table line may tell. */
const inDirectMapByAddress = ({ oops, translation }: OopsScene): Evidence => {
  if (oops.address === null) return notKnown('the oops names no address');
  const at = Address.fromBigInt(oops.address);
  const base = baseInOops(oops, at, translation);
  if (base !== null)
    return speaksFor(`by the page-table line the direct map begins at ${pageText(base.page)}`);
  const other = isOutsideDirectMap(oops, at);
  if (other === null) return notKnown('no trace: where the direct map begins is not known');
  return other
    ? speaksAgainst('the address does not lie in the direct map')
    : speaksFor('the address lies in the linear map');
};

const inTracedDirectMap = traced(({ place }) => {
  if (place === null) return notKnown('the oops names no address');
  if (place.space === 'direct' && place.base !== null)
    return speaksFor(
      `the address lies in the direct map (which begins at ${pageText(place.base.page)}): physical ${pageText(place.pfn ?? 0)}`,
    );
  return place.space === 'virtual' && place.entry === null && place.area === null
    ? notKnown('the trace does not tell where the direct map begins')
    : speaksAgainst('the address does not lie in the direct map');
});

/** The faulting address lies in the direct map. */
export const inDirectMap: Question = {
  weight: 1,
  decisive: true,
  ask: (scene) => (scene.traced === null ? inDirectMapByAddress(scene) : inTracedDirectMap(scene)),
};

/** Permission of the faulting page, by the page-table line where there is one, else by the trace. */
export const protSeen = (
  scene: OopsScene,
): { readonly prot: number; readonly by: string; readonly events: readonly number[] } | null => {
  const { translation, traced: own } = scene;
  if (translation !== null && translation.present !== null) {
    const { present, writable, executable, dirty } = translation;
    const prot = present
      ? Prot.present |
        (writable ? Prot.writable : 0) |
        (executable ? Prot.executable : 0) |
        (dirty ? Prot.dirty : 0)
      : 0;
    return { prot, by: 'the page-table line', events: [] };
  }
  const entry = own?.place?.entry ?? null;
  if (own === null || entry === null || (entry.prot & Prot.nothingKnown) !== 0) return null;
  if (own.gaps.some(({ seq }) => seq > entry.cause)) return null;
  return { prot: entry.prot, by: 'the trace', events: entry.cause === 0 ? [] : [entry.cause] };
};

/** The permission of the faulting page is as `is` says. */
export const permission = (words: string, is: (prot: number) => boolean, weight = 2): Question => ({
  weight,
  decisive: true,
  ask: (scene) => {
    const seen = protSeen(scene);
    if (seen === null) return notKnown('neither a page-table line nor the trace tells the permission');
    const text = `by ${seen.by} the page is ${Prot.toText(seen.prot)}`;
    return is(seen.prot)
      ? speaksFor(`${text}: ${words}`, ...seen.events)
      : speaksAgainst(text, ...seen.events);
  },
});

export const isReadOnly = (prot: number): boolean =>
  Prot.has(prot, Prot.present) && !Prot.has(prot, Prot.writable);
export const isNotExecutable = (prot: number): boolean =>
  Prot.has(prot, Prot.present) && !Prot.has(prot, Prot.executable);
export const isAbsent = (prot: number): boolean => !Prot.has(prot, Prot.present);

const touches = ({ page, pages, pfn }: FailedCall, virtual: number | null, frame: number | null): boolean =>
  (pfn !== null && pfn === frame) ||
  (page !== null && virtual !== null && virtual >= page && virtual < page + pages);

/** Failed calls of some functions that were about the faulting page or its frame. */
export const failedHere = ({ failed, page, place }: TracedScene, functions: RegExp): readonly FailedCall[] =>
  failed.filter((call) => functions.test(call.fn) && touches(call, page, place?.pfn ?? null));

/** When the page stopped being mapped, as its history tells; null: it did not. */
export const unmappedAt = ({ history }: TracedScene): number | null => {
  const last = history.findLast(({ mappings }) => mappings.length > 0);
  return last !== undefined && last.mappings.every(({ to }) => to === null) ? last.event.seq : null;
};

/** Programs whose memory was unmapped with the page while they were not freed, nor being freed by the same call. */
export const orphans = (scene: TracedScene): readonly number[] => {
  const at = unmappedAt(scene);
  const item = scene.history.findLast(({ event }) => event.seq === at);
  if (at === null || item === undefined || scene.page === null) return [];
  const { event } = item;
  if (event.kind !== 'unmapped') return [];
  const root = item.calls.at(-1)?.seq ?? null;
  return scene.lives.programs
    .filter(({ chunk, from, to }) => {
      const inside = chunk.page >= event.page && chunk.page < event.page + event.pages;
      return inside && from < at && (to === null || (to > at && !endsIn(scene, root, to)));
    })
    .map(({ number }) => number);
};

/** Whether the event that freed a program lies in the call that unmapped the page. */
const endsIn = ({ trace }: TracedScene, root: number | null, seq: number): boolean => {
  if (root === null) return false;
  for (let at = seq; ;) {
    const event = trace.event(at);
    if (!event.ok || event.value.call === 0 || event.value.call >= at) return false;
    if (event.value.call === root) return true;
    at = event.value.call;
  }
};

/** The event a program came with; 0: it is older than the trace. */
export const bornAt = ({ lives }: TracedScene, number: number): number =>
  lives.programs.find((life) => life.number === number)?.from ?? 0;

/** That event, where there is one. */
export const birthOf = (scene: TracedScene, number: number): readonly number[] => {
  const born = bornAt(scene, number);
  return born === 0 ? [] : [born];
};

const FEW = 3;

export const programsText = (scene: TracedScene, numbers: readonly number[]): string => {
  const names = numbers.slice(0, FEW).map((number) => {
    const life = scene.lives.programs.find((program) => program.number === number);
    return life === undefined ? `program:${number}` : programText(life);
  });
  return `${names.join(', ')}${numbers.length > FEW ? ` and ${numbers.length - FEW} more` : ''}`;
};

/** The page was unmapped while programs lived in it. */
export const freedUnderUsers: Question = {
  weight: 3,
  decisive: true,
  ask: traced((scene) => {
    const at = unmappedAt(scene);
    if (at === null) return speaksAgainst('the trace does not show that the page was unmapped');
    const left = orphans(scene);
    if (left.length === 0) return speaksAgainst('no program lived in the page when it was unmapped', at);
    const born = Math.min(
      ...left.map((n) => scene.lives.programs.find(({ number }) => number === n)?.from ?? 0),
    );
    const text = `the page was unmapped while ${programsText(scene, left)} had not been freed`;
    const gap = scene.gaps.find(({ seq }) => seq > born && seq < at);
    return gap === undefined
      ? speaksFor(text, at)
      : notKnown(`${text}, but events were lost before`, at, gap.seq);
  }),
};

type OpenCalls = TracedScene['history'][number]['calls'];

/**
 * The calls that were open when the page was unmapped, innermost first; empty: none, or not unmapped. After a divergence calls are not recorded as
 * nested: what its task had entered and not left counts.
 */
export const unmappingCalls = (scene: TracedScene): OpenCalls => {
  const at = unmappedAt(scene);
  const around = scene.history.findLast(({ event }) => event.seq === at)?.calls ?? [];
  const root = around.at(-1);
  if (at === null || root === undefined) return around;
  const open = new Map<number, OpenCalls[number]>();
  for (const batch of scene.trace.batches({ from: root.seq, to: at, kinds: ['entered', 'returned'] })) {
    if (!batch.ok) return around;
    for (const event of batch.value) {
      if (event.task !== root.task) continue;
      if (event.kind === 'returned') open.delete(event.call);
      else if (event.kind === 'entered')
        open.set(event.seq, {
          seq: event.seq,
          fn: event.fn,
          args: valuesJson(event.names, event.values),
          task: event.task,
        });
    }
  }
  return [...[...open.values()].toReversed(), root];
};

/** Code of the call trace or the place of the oops has one of these names. */
export const names = (pattern: RegExp, weight: number): Question => ({
  weight,
  decisive: true,
  ask: ({ oops: { pc, trace } }) => {
    const found = [pc, ...trace.filter(({ reliable }) => reliable)].find(
      (place) => place?.symbol !== null && place?.symbol !== undefined && pattern.test(place.symbol),
    );
    return found === undefined || found === null
      ? speaksAgainst('no such function is in the call trace')
      : speaksFor(`${found.symbol} is in the call trace`);
  },
});

/** The answer of the trace about the faulting entry, where nothing was lost since. */
export const ofEntry = (
  scene: TracedScene,
  answer: (entry: NonNullable<Place['entry']>) => Evidence,
): Evidence => {
  const entry = scene.place?.entry ?? null;
  if (entry === null) return notKnown('the trace knows nothing of this page');
  return unlessLost(scene, entry.cause, answer(entry));
};
