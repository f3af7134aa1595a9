/** What root calls of one build have in common: everything but their numbers and texts, which lie in slots. */
import type { EventKind } from '../../core/event/event.js';
import type { DifferenceKind } from './facts.js';

/** How an address is placed, and so which slots it has after the two halves of its value. */
export const Placed = {
  /** No address. */
  none: 0,
  /** An address that lies in nothing known. */
  nowhere: 1,
  /** In an area: which, bytes from its beginning. */
  area: 2,
  /** In the code of a program in an area: the same of both. */
  code: 3,
  /** In the direct map: the area of the mapped page that the same frame backs. */
  alias: 4,
} as const;

/** Added to the form of a value that is a text: its place in the texts is one slot more. */
export const TEXT = 8;

/** Slots that a value needs, by its form. */
const SLOTS = [2, 2, 4, 6, 4] as const;
export const slotsOf = (form: number): number => (SLOTS[form & 7] ?? 2) + (form & TEXT ? 1 : 0);

/** A value of a call line that counts. */
export interface ValueColumn {
  /** The name that the kernel functions use. */
  readonly name: string;
  /** `choice`: the surroundings decide; it is counted when it differs, no more. */
  readonly class: 'compared' | 'choice';
  /** A signed 32-bit result. */
  readonly signed: boolean;
}

/** A step of a root call, without its values. */
export type Part =
  | {
      readonly part: 'enter';
      readonly fn: string;
      /** It stands for itself. A root call that does not is looked through: those in it are root calls. */
      readonly isKept: boolean;
      /** Outermost call around it that the other trace does not show; null: none. */
      readonly via: string | null;
      readonly columns: readonly ValueColumn[];
    }
  | { readonly part: 'return'; readonly columns: readonly ValueColumn[] }
  | {
      readonly part: 'fact';
      readonly kind: EventKind;
      readonly makes: DifferenceKind;
      readonly key: string;
      readonly via: string | null;
      /** Names of its fields, and which of them are texts. */
      readonly fields: readonly (readonly [name: string, isText: boolean])[];
      readonly hasPlace: boolean;
      readonly hasRun: boolean;
    };

/** A step: its part, in which call it is (counted in order of entry), and the form of each value or place. */
export interface Step {
  readonly part: Part;
  /** The call it is about; of an entry the one around it, -1: none. */
  readonly node: number;
  readonly forms: readonly number[];
}

export interface Shape {
  readonly steps: readonly Step[];
}

/** Slots of a step, by its part and the forms of its values. */
export const slotsOfStep = ({ part, forms }: Step): number => {
  const values = forms.reduce((sum, form) => sum + slotsOf(form), 0);
  if (part.part === 'return') return values;
  if (part.part === 'enter') return 1 + values;
  return 1 + part.fields.length + (part.hasRun ? 3 : 0) + values;
};
