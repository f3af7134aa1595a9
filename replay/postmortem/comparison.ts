/** What the page table should say by the trace, against what the oops shows. */
import { protOf } from '../../core/oops/translation.js';
import { pageText } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { sizeOf } from '../ranges.js';
import { sizeText } from '../sections.js';
import { gapSince } from './known/failure.js';
import type { OopsScene, TracedScene } from './scene.js';

/** One property of the entry, by both. */
export interface Compared {
  readonly what: 'permission' | 'page size' | 'frame';
  /** By the trace; null: not known. */
  readonly model: string | null;
  /** By the page-table line; null: not shown. */
  readonly oops: string | null;
  /** Null: one of them is not known. */
  readonly equal: boolean | null;
  /** What a difference means, or why there is no answer. */
  readonly note: string | null;
}

const permissionNote = (model: number, oops: number): string => {
  const was = Prot.has(model, Prot.present);
  const is = Prot.has(oops, Prot.present);
  if (was && !is) return 'something took the page away that the trace does not show, or the oops came later';
  if (!was && is) return 'something mapped the page that the trace does not show, or the oops came later';
  const gained = oops & ~model & (Prot.writable | Prot.executable);
  const words = [
    ...(Prot.has(gained, Prot.writable) ? ['writable'] : []),
    ...(Prot.has(gained, Prot.executable) ? ['executable'] : []),
  ];
  return words.length > 0
    ? `the real page is ${words.join(' and ')}: a change that the trace does not show, or one that did not reach the page table`
    : 'the real page allows less: a change that the trace does not show, or the oops came in the middle of one';
};

const VISIBLE = Prot.present | Prot.writable | Prot.executable;

/** Why the trace has no answer; null: it has one. */
const blindness = (traced: TracedScene | null): string | null => {
  if (traced === null) return 'there is no trace';
  if (traced.place === null) return 'the oops names no address';
  const entry = traced.place.entry;
  if (entry === null) return traced.gaps.length > 0 ? 'the trace lost events' : null;
  return gapSince(traced, entry.cause) === null ? null : 'events were lost since the last change';
};

const both = (
  what: Compared['what'],
  model: string | null,
  oops: string | null,
  note: string | null,
): Compared => {
  const equal = model === null || oops === null ? null : model === oops;
  return { what, model, oops, equal, note: equal === true ? null : note };
};

/** Empty: the oops shows no page table. */
export const comparison = ({ oops, translation, traced }: OopsScene): readonly Compared[] => {
  if (translation === null || oops.kind !== 'page-fault' || traced?.place?.space === 'user') return [];
  const seen = protOf(translation);
  const seenText = translation.present === null ? null : Prot.toText(seen);
  const blind = blindness(traced);
  const entry = traced?.place?.entry ?? null;
  const known = traced?.place !== null && blind === null;
  // Of an address that the trace knows nothing of, nothing should be mapped only where it knows the area.
  const absent = entry === null && (traced?.history.length ?? 0) > 0;
  const prot = !known ? null : entry !== null ? entry.prot : absent ? 0 : null;
  const unknownBits = prot !== null && ((prot >> 4) & VISIBLE) !== 0;
  const modelText = prot === null ? null : Prot.toText(prot);
  const list: Compared[] = [
    both(
      'permission',
      unknownBits ? null : modelText,
      seenText,
      unknownBits
        ? 'the trace knows only a part of it'
        : prot === null
          ? (blind ?? 'the trace knows nothing of this page')
          : seenText === null
            ? 'the page-table line could not be read'
            : permissionNote(prot, seen),
    ),
  ];
  if (entry === null || !known || translation.present !== true || !Prot.has(entry.prot, Prot.present))
    return list;
  const size = sizeOf(entry.shift);
  list.push(
    both(
      'page size',
      size === null ? null : sizeText(size),
      translation.shift === null ? null : sizeText(2 ** translation.shift),
      size === null
        ? 'the trace does not know the size of the leaf'
        : 'a split or a merge that the trace does not show, or that the model got wrong',
    ),
  );
  const pfn = traced?.place?.pfn ?? null;
  list.push(
    both(
      'frame',
      pfn === null ? null : pageText(pfn),
      translation.pfn === null ? null : pageText(translation.pfn),
      pfn === null
        ? 'the trace does not know the physical address'
        : 'the address was mapped anew since, or the trace is of another boot',
    ),
  );
  return list;
};
