/** I3: memory goes back to the page allocator as ordinary memory. */
import { setsDirectMap } from '../../arch/arch.js';
import { Memory, NO_FRAME } from '../../memory/memory.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import { freedFrames } from '../freedFrames.js';
import { AREAS_FREED, resets } from '../needs.js';
import { type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { rangeText } from './aliases.js';
import { standing } from '../standing.js';

/** VM_FLUSH_RESET_PERMS: the area's direct map was changed, and is to be restored. */
const RESET_PERMS = 0x100;

const watch = (audit: Audit): Watch => {
  const wrong = (name: string, pattern: string) =>
    standing(({ page, pages, from, to, proof }) =>
      audit.report({
        pattern,
        message: `${rangeText(page, pages)} of physical memory went back to the page allocator ${name}`,
        start: Address.of(page),
        bytes: pages * PAGE_SIZE,
        space: 'physical',
        from,
        to,
        evidence: [
          { seq: proof, shows: 'gave the frames back' },
          ...(to === null ? [] : [{ seq: to, shows: 'put it right' }]),
        ],
        failures: ['F9', 'F17'],
      }),
    );
  const readOnly = wrong('read-only in the direct map', 'a read-only page was handed back');
  const absent = wrong('absent from the direct map', 'a page that is not present was handed back');
  const runs = wrong('executable in the direct map', 'an executable page was handed back');
  const all = [readOnly, absent, runs];

  const look = (pfn: number, seq: number): void => {
    const alias = Memory.alias(audit.memory(), pfn);
    if (alias === null) return;
    const known = !Prot.isUnknown(alias.prot, Prot.present | Prot.writable);
    const here = Prot.has(alias.prot, Prot.present);
    const as: readonly (readonly [(typeof all)[number], boolean])[] = [
      [absent, known && !here],
      [readOnly, known && here && !Prot.has(alias.prot, Prot.writable)],
      [runs, here && Prot.has(alias.prot, Prot.executable)],
    ];
    for (const [stand, so] of as)
      if (so) stand.open(pfn, seq, seq);
      else stand.close(pfn, seq);
  };
  const again = (pfn: number, pages: number, seq: number): void => {
    for (let i = pfn; i < pfn + pages; i++) if (all.some((stand) => stand.has(i))) look(i, seq);
  };

  const freed = freedFrames(audit);

  return {
    before: {
      ...freed.before,
      'frames-released': (event) => {
        const area = freed.take(event);
        if (area?.frames === null || area === null) {
          if (area !== null && (area.flags & RESET_PERMS) !== 0)
            audit.unknown('the frames of a freed area are not known', area.start, area.pages);
          return;
        }
        audit.checked(event);
        for (const [index, frame] of area.frames.entries()) {
          if (frame >= 0) {
            const alias = Memory.alias(audit.memory(), frame);
            if (alias !== null && Prot.isUnknown(alias.prot, Prot.present | Prot.writable))
              audit.unknown('the direct map of a freed page is not known', area.start + index);
            look(frame, event.seq);
          } else if (frame < NO_FRAME && (area.flags & RESET_PERMS) !== 0)
            audit.unknown('the frame of a freed page is not known', area.start + index);
        }
      },
    },
    after: {
      permission: (event) => (event.space === 1 ? again(event.page, event.pages, event.seq) : undefined),
      'direct-mapped': (event) => again(event.page, event.pages, event.seq),
      mapped: (event) => {
        // Somebody else's now.
        if (event.frame >= 0)
          for (let i = 0; i < event.pages; i++)
            for (const stand of all) stand.close(event.frame + i, event.seq);
      },
    },
    end: () => {
      for (const stand of all) stand.tell(true);
    },
  };
};

export const I3: Rule = Object.freeze({
  id: 'I3',
  title: 'memory goes back to the page allocator present, writable and not executable in the direct map',
  severity: 'error',
  rationale:
    'The next owner of a page that stayed read-only crashes on its first write; of one that stayed executable nobody knows.',
  exceptions: [],
  applies: ({ arch, profile }: Subject) =>
    arch !== null && profile !== null && !setsDirectMap(arch, profile) && !arch.mirrorsReadOnly(profile)
      ? 'nothing changes the direct map on this architecture'
      : null,
  needs: (subject: Subject) => [AREAS_FREED, ...resets(subject)],
  watch,
});
