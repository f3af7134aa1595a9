/** Failures of permissions: calls whose result nobody looked at, aliases that were left behind, translations that were not flushed. */
import { Space } from '../../../core/event/pages.js';
import { Address, pageText } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import { allows } from '../../../core/oops/translation.js';
import { notKnown, speaksAgainst, speaksFor, type Evidence } from '../evidence.js';
import { resultText } from '../failedCalls.js';
import { baseInOops } from '../place.js';
import type { TracedScene } from '../scene.js';
import {
  birthOf,
  bornAt,
  failedHere,
  inDirectMap,
  isAbsent,
  isNotExecutable,
  isReadOnly,
  permission,
  protSeen,
  tried,
  unmappedAt,
} from './asks.js';
import { gapSince, ofKernel, traced, unlessLost, type KnownFailure, type Question } from './failure.js';

/** The page that the frame backed is mapped no more. */
const freedSince: Question = {
  weight: 3,
  decisive: true,
  ask: traced((scene) => {
    const last = scene.alias.backed.at(-1);
    if (last === undefined) return speaksAgainst('the trace does not show that this frame backed an area');
    if (last.to === null) return speaksAgainst(`the frame still backs ${pageText(last.page)}`, last.from);
    return unlessLost(
      scene,
      last.to,
      speaksFor(
        `the frame backed ${pageText(last.page)} from event ${last.from} on, which was unmapped`,
        last.to,
      ),
    );
  }),
};

/** A set_direct_map_* call for this frame failed since it was unmapped. */
const resetFailed: Question = {
  weight: 4,
  ask: traced((scene) => {
    const failed = failedHere(scene, /^set_direct_map_/);
    const last = failed.at(-1);
    if (last !== undefined)
      return speaksFor(
        `${last.fn} returned ${resultText(last.result)} for this frame; vfree does not look at the result`,
        ...failed.map(({ seq }) => seq).slice(-2),
      );
    const gap = gapSince(scene, scene.alias.backed.at(-1)?.from ?? 0);
    return gap === null
      ? speaksAgainst('no set_direct_map_* call for this frame failed')
      : notKnown('no failed set_direct_map_* call is recorded, but events were lost', gap);
  }),
};

/** What the trace says became of the alias after the unmapping. */
const leftBehind: Question = {
  weight: 2,
  ask: traced((scene) => {
    const { place, alias, moment } = scene;
    const last = alias.changes.at(-1);
    const entry = place?.entry ?? null;
    if (entry === null || last === undefined) return notKnown('the trace knows nothing of this alias');
    const gap = gapSince(scene, entry.cause);
    if (gap !== null) return notKnown('events were lost since the last change of this alias', gap);
    const text = `by the trace the alias is ${Prot.toText(entry.prot)} at the moment of the oops`;
    return Prot.has(entry.prot, Prot.writable) && Prot.has(entry.prot, Prot.present)
      ? moment.outside
        ? notKnown(`${text}, but the oops came later`, last.event.seq)
        : speaksAgainst(text, last.event.seq)
      : speaksFor(text, last.event.seq);
  }),
};

const largeAlias: Question = {
  weight: 1,
  ask: traced(({ alias }) => {
    const large = alias.changes.find(
      ({ to }) => to !== null && to.shift === 21 && !Prot.has(to.prot, Prot.writable),
    );
    return large === undefined
      ? speaksAgainst('the alias was never part of a read-only 2M leaf')
      : speaksFor('the alias was part of a read-only 2M leaf, which each page has to split', large.event.seq);
  }),
};

export const F9: KnownFailure = {
  id: 'F9',
  title: 'pages go back to the page allocator read-only or not present in the direct map',
  affected: 'possible on 5.18-rc1 to 5.18-rc3, and for any later user of huge areas with permissions',
  fix: null,
  explains: 'fault',
  questions: [
    inDirectMap,
    freedSince,
    permission('memory that was given back should be rw-', (prot) => isReadOnly(prot) || isAbsent(prot)),
    resetFailed,
    leftBehind,
    largeAlias,
    ofKernel('5.18-rc1', '5.18-rc4', '5.18-rc1 to 5.18-rc3'),
  ],
};

/** Areas for code lie outside the direct map. */
const notInDirectMap: Question = {
  weight: 1,
  decisive: true,
  ask: ({ oops, translation, traced: scene }) => {
    if (oops.address === null) return notKnown('the oops names no address');
    const base = scene?.place?.base ?? baseInOops(oops, Address.fromBigInt(oops.address), translation);
    return base === null
      ? speaksFor('the address does not lie in the direct map')
      : speaksAgainst('the address lies in the direct map, where no program is');
  },
};

const setMemoryFailed: Question = {
  weight: 4,
  ask: traced((scene) => {
    const failed = failedHere(scene, /^(?:set_memory_(?:x|ro|rox)|change_memory_common)$/);
    const last = failed.at(-1);
    if (last !== undefined)
      return speaksFor(
        `${last.fn} returned ${resultText(last.result)} for this page`,
        last.seq,
        last.returned,
      );
    const gap = gapSince(scene, 0);
    return gap === null
      ? speaksAgainst('no set_memory_* call for this page failed')
      : notKnown('no failed set_memory_* call is recorded, but events were lost', gap);
  }),
};

const publishedThere: Question = {
  weight: 3,
  decisive: true,
  ask: traced((scene) => {
    const { place, lives, page, memory } = scene;
    if (place === null || page === null) return notKnown('the oops names no address');
    if (place.program !== null)
      return unlessLost(
        scene,
        bornAt(scene, place.program.number),
        speaksFor(
          `program:${place.program.number} (${place.program.name ?? 'no symbol'}) lives there, ${place.program.state}`,
          ...birthOf(scene, place.program.number),
        ),
      );
    const near = lives.programs.find(
      ({ chunk, from, to }) => chunk.page === page && from <= memory.seq && (to === null || to > memory.seq),
    );
    return near === undefined
      ? speaksAgainst('no program lives in the page')
      : unlessLost(scene, near.from, speaksFor(`program:${near.number} lives in the page`, near.from));
  }),
};

export const F10: KnownFailure = {
  id: 'F10',
  title: 'the result of set_memory_* is ignored: a program is published in a page that cannot be executed',
  affected: 'to 6.9',
  fix: 'e60adf513275 (CVE-2024-42067) and 7d2cc63eca0c (CVE-2024-42068), 6.10',
  explains: 'fault',
  questions: [
    tried('execute'),
    notInDirectMap,
    permission('code in it cannot run', isNotExecutable),
    publishedThere,
    setMemoryFailed,
    {
      weight: 1,
      ask: traced(({ profile }) =>
        profile === null
          ? notKnown('which kernel the trace follows is not known')
          : profile.protectChecked
            ? speaksAgainst(`a kernel as ${profile.name} looks at the result`)
            : speaksFor(`a kernel as ${profile.name} does not look at the result`),
      ),
    },
    ofKernel(null, '6.10', 'to 6.9'),
  ],
};

export const F13: KnownFailure = {
  id: 'F13',
  title: 'set_memory_rox cleared NX in the direct map too',
  affected: '6.2-rc',
  fix: 'd597416683d5 "x86/mm: Inhibit _PAGE_NX changes from cpa_process_alias()", 6.2',
  explains: 'state',
  questions: [
    inDirectMap,
    permission(
      'the direct map must never be executable',
      (prot) => Prot.has(prot, Prot.present) && Prot.has(prot, Prot.executable),
      4,
    ),
    ofKernel('6.2-rc1', '6.2', '6.2-rc'),
  ],
};

const lineAllows: Question = {
  weight: 3,
  decisive: true,
  ask: ({ translation, oops }) => {
    if (translation === null || oops.access === null) return notKnown('there is no page-table line');
    const allowed = allows(translation, oops.access);
    if (allowed === null) return notKnown('the page-table line could not be read');
    return allowed
      ? speaksFor('the page-table line allows what was refused: the CPU used an older translation')
      : speaksAgainst('the page-table line refuses it, too');
  },
};

/** Whether a flush after event `since` covered the faulting page. */
const flushed = (scene: TracedScene, page: number, since: number): Evidence | null => {
  for (const batch of scene.trace.batches({ from: since, to: scene.moment.seq, kinds: ['tlb-flushed'] })) {
    if (!batch.ok) return notKnown('the flushes cannot be read');
    for (const event of batch.value)
      if (
        event.kind === 'tlb-flushed' &&
        (event.pages === 0 || (page >= event.page && page < event.page + event.pages))
      )
        return speaksAgainst('a flush covered it after its last change', event.seq);
  }
  return null;
};

const notFlushed: Question = {
  weight: 3,
  decisive: true,
  ask: traced((scene) => {
    const { place, alias, history } = scene;
    if (place === null) return notKnown('the oops names no address');
    const last =
      place.space === 'direct'
        ? (alias.changes.at(-1)?.event.seq ?? null)
        : (history.findLast(({ mappings }) => mappings.length > 0)?.event.seq ?? null);
    if (last === null) return notKnown('the trace shows no change of this page');
    const gap = gapSince(scene, last);
    if (gap !== null) return notKnown('events were lost since its last change', gap);
    return (
      flushed(scene, place.address.page, last) ??
      speaksFor('no flush of its address is recorded since its last change', last)
    );
  }),
};

export const F14: KnownFailure = {
  id: 'F14',
  title: 'a translation of the direct-map alias stays in the TLB: the flush covered the primary address only',
  affected: '5.0 to 5.7-rc',
  fix: 'ab5130186d74 "x86/mm/cpa: Flush direct map alias during cpa", 5.7',
  explains: 'fault',
  questions: [inDirectMap, lineAllows, notFlushed, ofKernel('5.0', '5.7', '5.0 to 5.7-rc')],
};

export const F16: KnownFailure = {
  id: 'F16',
  title: 'trampoline and dispatcher pages are writable and executable for good',
  affected: 'to 6.0',
  fix: 'the dispatcher in packs, trampolines read-only, 6.1',
  explains: 'state',
  questions: [
    permission(
      'writable and executable at once',
      (prot) =>
        Prot.has(prot, Prot.present) && Prot.has(prot, Prot.writable) && Prot.has(prot, Prot.executable),
      3,
    ),
    {
      weight: 2,
      decisive: true,
      ask: traced((scene) => {
        const { place } = scene;
        if (place === null || place.area === null) return notKnown('the area around it is not known');
        const gap = gapSince(scene, place.area.since);
        if (gap !== null) return notKnown('what became of its area is not known: events were lost', gap);
        if (place.pack === null && place.program?.type === 'dispatcher')
          return speaksFor('it is the page of a dispatcher', place.area.since);
        return place.pack === null && place.program === null
          ? speaksFor('it is neither in a pack nor of a program', place.area.since)
          : speaksAgainst('it belongs to a program', place.area.since);
      }),
    },
    ofKernel(null, '6.1', 'to 6.0'),
  ],
};

export const F40: KnownFailure = {
  id: 'F40',
  title: 'a read-only page has its dirty bit set: the pattern of a shadow stack',
  affected: 'set_memory_ro to 6.5, set_direct_map_invalid to 6.14',
  fix: 'set_memory_ro clears DIRTY, 6.6; c1fcf41cf37f',
  explains: 'state',
  questions: [
    {
      weight: 3,
      decisive: true,
      ask: (scene) => {
        if (scene.oops.arch !== 'x86_64') return speaksAgainst('only x86 has this pattern');
        const seen = protSeen(scene);
        if (seen === null) return notKnown('neither a page-table line nor the trace tells the permission');
        const { prot, by, events } = seen;
        return isReadOnly(prot) && Prot.has(prot, Prot.dirty)
          ? speaksFor(`by ${by} the page is ${Prot.toText(prot)} and dirty`, ...events)
          : speaksAgainst(`by ${by} it is not both read-only and dirty`, ...events);
      },
    },
    ofKernel(null, '6.15', 'to 6.14'),
  ],
};

const stillBacks: Question = {
  weight: 3,
  decisive: true,
  ask: traced((scene) => {
    const last = scene.alias.backed.at(-1);
    if (last === undefined)
      return speaksAgainst('the trace does not show that this frame backs executable memory');
    return last.to === null && unmappedAt(scene) === null
      ? unlessLost(
          scene,
          last.from,
          speaksFor(`the frame backs ${pageText(last.page)}, which is still mapped`, last.from),
        )
      : speaksAgainst(`what the frame backed is unmapped`, ...(last.to === null ? [] : [last.to]));
  }),
};

export const F27: KnownFailure = {
  id: 'F27',
  title: 'memory of the executable cache is not in the direct map: who reads it there faults',
  affected: '6.13-rc to 6.14',
  fix: '925f42645118 "execmem: don\'t remove ROX cache from the direct map", 6.15',
  explains: 'fault',
  questions: [
    inDirectMap,
    permission('the alias is gone', isAbsent),
    stillBacks,
    {
      weight: 2,
      ask: ({ oops: { trace, pc } }) => {
        const reader = [pc, ...trace].find((place) =>
          /kcore|hibernat|snapshot|kmemleak/.test(place?.symbol ?? ''),
        );
        return reader === undefined || reader === null
          ? speaksAgainst('no known reader of the direct map is in the call trace')
          : speaksFor(`${reader.symbol} reads memory through the direct map`);
      },
    },
    ofKernel('6.13-rc1', '6.15', '6.13-rc to 6.14'),
  ],
};

export const F28: KnownFailure = {
  id: 'F28',
  title: 'a 2M page stays split after it was made writable for a while',
  affected: '6.13 to 6.14',
  fix: '41d88484c71c "x86/mm/pat: restore large ROX pages after fragmentation", 6.15',
  explains: 'state',
  questions: [
    {
      weight: 3,
      decisive: true,
      ask: traced((scene) => {
        const { place, history } = scene;
        if (place === null || place.space !== 'virtual')
          return speaksAgainst('the address is not one of an area');
        const split = history.findLast(
          ({ event }) => event.kind === 'split' && event.space === Space.virtual,
        );
        return split !== undefined && place.entry?.shift === 12
          ? unlessLost(
              scene,
              split.event.seq,
              speaksFor('its 2M page was split and not merged again', split.event.seq),
            )
          : speaksAgainst('no 2M page around it was split');
      }),
    },
    ofKernel('6.13-rc1', '6.15', '6.13 to 6.14'),
  ],
};
