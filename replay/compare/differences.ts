/** What one trace does and the other does not, as it is told. */
import type { DifferenceKind } from './facts.js';
import type { During } from './landmarks.js';

/** Where a difference shows in one trace. */
export interface Side {
  /** The event: of what differs, or of the call in which it is missing. */
  readonly seq: number;
  /** The marker or operation it happened in; null: there was none before. */
  readonly during: During | null;
  /** Calls around it, innermost first. */
  readonly calls: readonly string[];
  /** What there is, in words; null: nothing. */
  readonly what: string | null;
  /** What came before it in the same call, the nearest last. */
  readonly before: readonly string[];
}

/** A line of both traces side by side; null: that one has nothing there. */
export interface Row {
  readonly a: string | null;
  readonly b: string | null;
  /** Both have it, and alike. */
  readonly same: boolean;
}

/** By what differences are grouped: they are of one pattern. */
export interface Pattern {
  readonly kind: DifferenceKind;
  /** The call or fact that differs. */
  readonly name: string;
  /** The call it is in; empty for a root call. */
  readonly in: string;
  /** Which trace alone has it; null: both, but not alike. */
  readonly only: 'a' | 'b' | null;
}

/** A difference that means something: not a choice, not another address. */
export interface Difference extends Pattern {
  readonly a: Side;
  readonly b: Side;
  /** What is around it in its call, in both traces. */
  readonly rows: readonly Row[];
}

/** Is told of each difference found: its pattern, its events in both traces (0: nothing there), and a way to have all of it. */
export type Report = (pattern: Pattern, a: number, b: number, whole: () => Difference) => void;
