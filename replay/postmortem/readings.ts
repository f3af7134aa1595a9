/** What the state at the moment says by itself, where no known failure is needed: who touched what, and why that is refused. */
import { Memory } from '../../core/memory/memory.js';
import { allows } from '../../core/oops/translation.js';
import { Address, pageText } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { hasGuard } from '../ranges.js';
import type { ProgramLife } from '../subjects.js';
import { programText } from '../subjects.js';
import { notKnown, speaksFor, type Evidence } from './evidence.js';
import {
  accessText,
  birthOf,
  executed,
  isAbsent,
  isNotExecutable,
  isReadOnly,
  protSeen,
  unmappedAt,
} from './known/asks.js';
import { gapSince } from './known/failure.js';
import { baseInOops, CONTENT_WORDS, type Place } from './place.js';
import type { OopsScene, TracedScene } from './scene.js';

/** One reading of the state. */
export interface Reading {
  readonly id: string;
  readonly title: string;
  readonly evidence: readonly Evidence[];
}

type Read = (scene: OopsScene, traced: TracedScene) => Reading | null;

const goneText = (life: ProgramLife): string => `${programText(life)} was freed`;

const freedProgram = ({ gone }: { readonly gone: readonly ProgramLife[] }): Evidence | null => {
  const last = gone[0];
  return last === undefined || last.to === null ? null : speaksFor(goneText(last), last.to);
};

/** The page was unmapped. */
const freedMemory: Read = ({ oops }, scene) => {
  const { place, page, history } = scene;
  const at = unmappedAt(scene);
  if (place === null || place.space !== 'virtual' || place.entry !== null || at === null || page === null)
    return null;
  const program = freedProgram(place);
  const pack = place.gonePacks[0];
  const item = history.findLast(({ event }) => event.seq === at);
  return {
    id: program === null ? 'freed-memory' : 'freed-program',
    title:
      program === null
        ? `${accessText(oops.access ?? 'read')} of memory that had been freed`
        : `${accessText(oops.access ?? 'read')} in a program that had been freed, and whose memory is gone`,
    evidence: [
      ...(program === null ? [] : [program]),
      ...(pack === undefined || pack.to === null
        ? []
        : [speaksFor(`the pack at ${pageText(pack.start)} was taken off the list`, pack.to)]),
      speaksFor(
        `${pageText(page)} was unmapped by ${item?.calls[0]?.fn ?? item?.event.task ?? 'nobody known'}`,
        at,
      ),
    ],
  };
};

/** What lies where the CPU was, of a program that was freed there. */
const contentEvidence = (content: Place['content'], { profile }: TracedScene): Evidence => {
  if (content?.kind === 'trap')
    return speaksFor('its chunk was filled with traps when it was freed, and the CPU ran into one');
  if (content !== null && content.kind !== 'unknown')
    return speaksFor(`where the CPU was lies ${CONTENT_WORDS[content.kind]}`);
  return profile !== null && profile.pack.invalidate
    ? speaksFor(`a kernel as ${profile.name} fills a chunk with traps when its program is freed`)
    : notKnown('what lies where the CPU was is not known');
};

/** A trap was executed where a program had been. */
const freedChunk: Read = (scene, traced) => {
  if (scene.oops.kind === 'page-fault') return null;
  const own = executed(scene);
  if (own === null || own.program !== null) return null;
  const program = freedProgram(own);
  if (program !== null)
    return {
      id: 'freed-program',
      title: 'a program that had been freed was executed',
      evidence: [program, contentEvidence(own.content, traced)],
    };
  return own.content?.kind === 'trap'
    ? {
        id: 'trap-fill',
        title: 'the fill between programs was executed: a jump to an address where no program is',
        evidence: [speaksFor('where the CPU was lies the fill of a pack')],
      }
    : null;
};

const ownerText = ({ place, memory }: TracedScene): string | null => {
  if (place === null) return null;
  if (place.program !== null) return `program:${place.program.number} (${place.program.name ?? 'no symbol'})`;
  if (place.pack !== null) return `the pack at ${pageText(place.pack.start)}`;
  if (place.space === 'direct' && place.entry !== null && place.entry.frame >= 0) {
    const page = place.entry.frame;
    const area = Memory.areaAt(memory, page);
    return `${pageText(page)}${area === null || area.caller === '' ? '' : `, allocated by ${area.caller}`}`;
  }
  return place.area === null
    ? null
    : `an area${place.area.caller === '' ? '' : ` allocated by ${place.area.caller}`}`;
};

const seenEvidence = (scene: OopsScene): readonly Evidence[] => {
  const seen = protSeen(scene);
  return seen === null
    ? []
    : [speaksFor(`by ${seen.by} the page is ${Prot.toText(seen.prot)}`, ...seen.events)];
};

const isProt = (scene: OopsScene, is: (prot: number) => boolean): boolean => {
  const seen = protSeen(scene);
  return seen !== null && is(seen.prot);
};

const programEvents = (scene: TracedScene): readonly number[] => {
  const program = scene.place?.program ?? null;
  return program === null ? [] : birthOf(scene, program.number);
};

/** The trace says so too, or knows nothing of it. */
const agrees = ({ place }: TracedScene, is: (prot: number) => boolean): boolean => {
  const entry = place?.entry ?? null;
  return entry === null || (entry.prot & Prot.nothingKnown) !== 0 || is(entry.prot);
};

/** A write to memory that is read-only as it should be. */
const readOnlyText: Read = (scene, traced) => {
  const { oops } = scene;
  const owner = ownerText(traced);
  if (oops.kind !== 'page-fault' || oops.access !== 'write' || owner === null) return null;
  if (!isProt(scene, isReadOnly) || !agrees(traced, isReadOnly)) return null;
  const isAlias = traced.place?.space === 'direct';
  if (isAlias && (traced.place?.entry?.frame ?? -1) < 0) return null;
  return {
    id: isAlias ? 'read-only-alias' : 'read-only-text',
    title: isAlias
      ? 'a write through the direct-map alias of executable memory, which is read-only as it should be'
      : 'a write to executable memory at its own address, which is read-only as it should be: only text poke may write there',
    evidence: [speaksFor(`it belongs to ${owner}`, ...programEvents(traced)), ...seenEvidence(scene)],
  };
};

/** The alias is away for the time of vfree. */
const aliasAway: Read = (scene, { place, alias }) => {
  if (scene.oops.kind !== 'page-fault' || place === null || place.space !== 'direct') return null;
  const last = alias.changes.at(-1);
  const backed = alias.backed.at(-1);
  if (!isProt(scene, isAbsent) || last === undefined || backed === undefined || backed.to === null)
    return null;
  const isAway = last.to !== null && isAbsent(last.to.prot) && !Prot.isUnknown(last.to.prot, Prot.present);
  return {
    id: 'alias-away',
    title: 'the direct-map alias was not present: vfree takes it away before the frames go back',
    evidence: [
      speaksFor(`the frame had backed ${pageText(backed.page)}, which was unmapped`, backed.to),
      isAway
        ? speaksFor('the alias was taken away and not given back yet', last.event.seq)
        : notKnown('by the trace the alias is there', last.event.seq),
    ],
  };
};

/** Memory that cannot be executed, or not yet. */
const notExecutable: Read = (scene, traced) => {
  const { oops } = scene;
  if (oops.kind !== 'page-fault' || oops.access !== 'execute') return null;
  if (!isProt(scene, isNotExecutable) || !agrees(traced, isNotExecutable)) return null;
  const owner = ownerText(traced);
  const isAlias = traced.place?.space === 'direct';
  return {
    id: isAlias ? 'executed-alias' : 'not-executable',
    title: isAlias
      ? 'a jump into the direct map, which is never executable'
      : 'a jump into memory that was not made executable',
    evidence: [...(owner === null ? [] : [speaksFor(`it belongs to ${owner}`)]), ...seenEvidence(scene)],
  };
};

/** Code ran where every store in the kernel could have put it. */
const writableCode: Read = (scene, traced) => {
  if (scene.oops.kind === 'page-fault') return null;
  const own = executed(scene);
  const entry = own?.entry ?? null;
  if (own === null || entry === null || own.space !== 'virtual') return null;
  const both = Prot.present | Prot.writable | Prot.executable;
  if ((entry.prot & both) !== both || Prot.isUnknown(entry.prot, both)) return null;
  const { program, content } = own;
  const known = content !== null && content.kind !== 'unknown';
  return {
    id: 'writable-code',
    title:
      'code was executed in a page that is writable and executable: any store of the kernel may have put it there',
    evidence: [
      speaksFor('by the trace the page is rwx', ...(entry.cause === 0 ? [] : [entry.cause])),
      ...(program === null
        ? []
        : [
            speaksFor(
              `it belongs to ${program.name ?? `program:${program.number}`}`,
              ...birthOf(traced, program.number),
            ),
          ]),
      known
        ? speaksFor(
            `by what is recorded there lies ${CONTENT_WORDS[content.kind]}; direct stores leave no line`,
          )
        : notKnown('what lies there is not known: direct stores leave no line'),
    ],
  };
};

const guardPage: Read = ({ oops }, { place }) => {
  if (oops.kind !== 'page-fault' || place === null || place.space !== 'virtual' || place.area === null)
    return null;
  const { start, pages, since, flags } = place.area;
  return hasGuard(flags) && place.entry === null && place.address.page === start + pages - 1
    ? {
        id: 'guard-page',
        title: 'an access past the end of an area: its guard page, which is never mapped',
        evidence: [speaksFor(`the area begins at ${pageText(start)}`, since)],
      }
    : null;
};

/** The page table allows what was refused. */
const permitted = ({ oops, translation }: OopsScene): Reading | null =>
  translation !== null &&
  oops.access !== null &&
  oops.kind === 'page-fault' &&
  allows(translation, oops.access) === true
    ? {
        id: 'permitted',
        title:
          'the page table allows what was refused: an older translation was used, or it changed before it was printed',
        evidence: [speaksFor('the page-table line allows the access')],
      }
    : null;

const READINGS: readonly Read[] = [
  writableCode,
  freedMemory,
  freedChunk,
  guardPage,
  aliasAway,
  readOnlyText,
  notExecutable,
];

/** Where events were lost since what a reading is based on, it is not known to hold. */
const doubted = (reading: Reading, scene: TracedScene): Reading => {
  const since = Math.max(0, ...reading.evidence.flatMap(({ events }) => events));
  const gap = gapSince(scene, since);
  const later = scene.moment.outside;
  return gap === null && !later
    ? reading
    : {
        ...reading,
        evidence: [
          ...reading.evidence,
          ...(gap === null ? [] : [notKnown('events were lost since', gap)]),
          ...(later ? [notKnown('the trace does not cover the time of the oops')] : []),
        ],
      };
};

/** Without a trace: the page-table line alone shows that it is text. */
const writtenText = ({ oops, translation, traced }: OopsScene): Reading | null => {
  if (traced !== null || oops.kind !== 'page-fault' || oops.access !== 'write' || translation === null)
    return null;
  const { present, writable, executable } = translation;
  return present === true && !writable && executable
    ? {
        id: 'read-only-text',
        title:
          'a write to executable memory at its own address, which is read-only as it should be: only text poke may write there',
        evidence: [speaksFor('by the page-table line the page is r-x')],
      }
    : null;
};

/** Without a trace: the page-table line alone shows that the address lies in the direct map. */
const executedAlias = ({ oops, translation, traced }: OopsScene): Reading | null => {
  if (traced !== null || oops.kind !== 'page-fault' || oops.access !== 'execute' || oops.address === null)
    return null;
  const base = baseInOops(oops, Address.fromBigInt(oops.address), translation);
  if (base === null || translation?.present !== true || translation.executable) return null;
  return {
    id: 'executed-alias',
    title: 'a jump into the direct map, which is never executable',
    evidence: [speaksFor(`by the page-table line the direct map begins at ${pageText(base.page)}`)],
  };
};

/** The readings that hold, the most telling first. */
export const readingsOf = (scene: OopsScene): readonly Reading[] => {
  const own = permitted(scene) ?? executedAlias(scene) ?? writtenText(scene);
  const { traced } = scene;
  const told =
    traced === null
      ? []
      : READINGS.flatMap((read) => {
          const reading = read(scene, traced);
          return reading === null ? [] : [doubted(reading, traced)];
        });
  return own === null ? told : [own, ...told];
};
