/** I16: text copies go where they may. */
import type { EventOf } from '../../event/event.js';
import { Memory } from '../../memory/memory.js';
import { SparseMap } from '../../memory/sparse.js';
import { Address } from '../../value/address.js';
import { pokes, texts } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { inModules } from './areas.js';
import { bytesText, placeFinding } from './places.js';

const watch = (audit: Audit): Watch => {
  let diverged = false;
  const look = (event: EventOf<'copied'> | EventOf<'filled'>): void => {
    if (event.way !== 'poke' || (event.kind === 'copied' && event.what === 'instruction')) return;
    const { to, length } = event;
    audit.checked(event);
    const verb = event.kind === 'copied' ? 'copied' : 'filled';
    const wrong = (where: string, held: number | null): void =>
      audit.report(
        placeFinding(to, length, {
          pattern: `a text copy goes ${where}`,
          message: `${bytesText(to, length)} were ${verb} ${where}`,
          from: event.seq,
          evidence: [
            ...(held === null ? [] : [{ seq: held, shows: 'gave out the memory where it begins' }]),
            { seq: event.seq, shows: 'wrote there' },
          ],
          failures: ['F26'],
        }),
      );
    const memory = audit.memory();
    if (!inModules(audit, to.page)) return wrong('outside the range of modules', null);
    const held = audit.allocations.around(to);
    if (held !== null) {
      if (Address.minus(to, held.at) + length > held.bytes) wrong('beyond its image', held.seq);
      return;
    }
    const pack = Memory.packAt(memory, to.page);
    if (pack?.partial === true)
      return audit.unknown('which chunks of the pack are held is not known', to.page);
    if (pack !== null && diverged)
      return audit.unknown(
        'chunks given out in calls that the model could not follow are not known',
        to.page,
      );
    if (pack !== null) return wrong('to chunks that no image holds', null);
    const area = Memory.areaAt(memory, to.page);
    if (area === null && memory.areas === SparseMap.empty())
      return audit.unknown('the areas are not known', to.page);
    if (area === null || area.state === 'lazy')
      return wrong('to memory that is not in use', area?.since ?? null);
    if (Address.add(to, length - 1).page > area.start + area.pages - 2) wrong('beyond its area', area.since);
  };
  return {
    before: {
      copied: look,
      filled: look,
      divergence: () => {
        diverged = true;
      },
    },
  };
};

export const I16: Rule = Object.freeze({
  id: 'I16',
  title: 'a text copy goes into one image that is held, and never into the kernel itself',
  severity: 'error',
  rationale:
    'text_poke writes through every protection: a wrong address is a write to whatever is executed there.',
  exceptions: [
    'Patches of single instructions of the kernel and of live code (static keys, tail calls) are what text_poke is for.',
    'Of memory of others in the module range only the area is known.',
  ],
  applies: always,
  needs: (subject: Subject) => (subject.profile?.allocator === 'pack' ? texts(subject) : pokes(subject)),
  watch,
});
