/** Failures that only arm64 knows. */
import { pageText } from '../../../core/value/address.js';
import { PageTable } from '../../../core/memory/pageTable.js';
import { Prot } from '../../../core/value/prot.js';
import { notKnown, speaksAgainst, speaksFor } from '../evidence.js';
import { CONTENT_WORDS } from '../place.js';
import { birthOf, bornAt, executed, inDirectMap, isReadOnly, permission, tried } from './asks.js';
import { gapSince, ofKernel, traced, type KnownFailure, type Question } from './failure.js';

const onArm64: Question = {
  weight: 1,
  decisive: true,
  ask: ({ oops: { arch } }) =>
    arch === 'arm64' ? speaksFor('the machine is arm64') : speaksAgainst(`the machine is ${arch}`),
};

export const F19: KnownFailure = {
  id: 'F19',
  title: 'the linear alias of a whole area is made read-only for a change of a part of it',
  affected: 'to 6.18',
  fix: null,
  explains: 'fault',
  questions: [
    onArm64,
    tried('write'),
    inDirectMap,
    permission('the alias refuses writes', isReadOnly),
    {
      weight: 4,
      decisive: true,
      ask: traced((scene) => {
        const last = scene.alias.backed.at(-1);
        if (last === undefined || last.to !== null)
          return speaksAgainst('the frame backs no mapped area, as far as the trace tells');
        const changed = scene.history.find(({ mappings }) =>
          mappings.some(({ to }) => to !== null && !to.prot.includes('w') && to.prot !== '---'),
        );
        if (changed !== undefined)
          return speaksAgainst(`${pageText(last.page)} itself was made read-only`, changed.event.seq);
        const gap = gapSince(scene, last.from);
        return gap === null
          ? speaksFor(
              `the frame backs ${pageText(last.page)}, which was never made read-only itself`,
              last.from,
            )
          : notKnown('events were lost since the frame was mapped', gap);
      }),
    },
    {
      weight: 2,
      ask: traced(({ memory, alias, place }) => {
        const page = alias.backed.at(-1)?.page ?? null;
        if (page === null || place === null || place.area === null)
          return notKnown('the area around it is not known');
        const { start, pages } = place.area;
        for (const [at, node, slot] of PageTable.pages(memory.virtual, start, start + pages)) {
          const prot = node.prot[slot] as number;
          if (at !== page && isReadOnly(prot) && !Prot.isUnknown(prot, Prot.writable))
            return speaksFor(
              `another page of the same area, ${pageText(at)}, was made read-only`,
              node.cause[slot] as number,
            );
        }
        return speaksAgainst('no other page of the area is read-only');
      }),
    },
    ofKernel(null, '6.19', 'to 6.18'),
  ],
};

export const F20: KnownFailure = {
  id: 'F20',
  title: 'a permission change reaches an area that is mapped by blocks',
  affected: 'trees with huge vmalloc, to 6.14 and later',
  fix: 'explicit −EINVAL, in 6.17',
  explains: 'fault',
  questions: [
    onArm64,
    tried('read', 'write', 'execute'),
    {
      weight: 3,
      decisive: true,
      ask: ({ translation }) => {
        if (translation === null) return notKnown('there is no page-table line');
        const leaf = translation.levels.at(-1);
        return leaf?.leaf === true && leaf.level !== 'pte'
          ? speaksFor(`the page-table line ends at a block (${leaf.level})`)
          : speaksAgainst('the address is mapped by a page, not by a block');
      },
    },
    {
      weight: 2,
      decisive: true,
      ask: traced(({ place }) => {
        if (place === null) return notKnown('the oops names no address');
        return place.space === 'virtual' && place.area !== null
          ? speaksFor('it lies in a vmalloc area', place.area.since)
          : speaksAgainst('it lies in no vmalloc area that the trace knows');
      }),
    },
    {
      weight: 2,
      ask: traced(({ history }) => {
        const changed = history.findLast(({ event }) => event.kind === 'permission');
        return changed === undefined
          ? speaksAgainst('no permission change of this page is recorded')
          : speaksFor('its permission was changed', changed.event.seq);
      }),
    },
    ofKernel(null, '6.17', 'before 6.17'),
  ],
};

export const F21: KnownFailure = {
  id: 'F21',
  title:
    'the instruction cache was not maintained after the final copy: the CPU ran what had lain there before',
  affected: 'version 3 of the arm64 series, never released; any port that flushes before the copy',
  fix: 'version 4 of the series: the flush comes after the copy',
  explains: 'fault',
  questions: [
    onArm64,
    {
      weight: 2,
      decisive: true,
      ask: ({ oops: { kind } }) =>
        kind === 'trap' || kind === 'invalid-instruction'
          ? speaksFor(
              `the CPU executed ${kind === 'trap' ? 'a trap instruction' : 'something that is no instruction'}`,
            )
          : speaksAgainst('the CPU did not stumble over an instruction'),
    },
    {
      weight: 4,
      decisive: true,
      ask: traced((scene, all) => {
        const own = executed(all);
        if (own === null) return notKnown('where the CPU was is not known');
        if (own.content === null || own.content.kind === 'unknown')
          return notKnown('what lay where the CPU was is not known');
        if (own.content.kind !== 'program' || own.program === null)
          return speaksAgainst(
            `memory holds ${CONTENT_WORDS[own.content.kind]} there, and so the CPU saw it`,
          );
        const gap = gapSince(scene, bornAt(scene, own.program.number));
        return gap === null
          ? speaksFor(
              `memory holds the image of program:${own.program.number} there, which has no trap: the CPU saw something older`,
              ...birthOf(scene, own.program.number),
            )
          : notKnown('events were lost since the program got its memory', gap);
      }),
    },
  ],
};
