import type { Address } from '../value/address.js';

/** How much a finding matters: `error` memory was unsafe, `warning` it was weaker than it should be, `note` worth knowing. */
export type Severity = 'error' | 'warning' | 'note';

/** What a rule says of a trace, or of a range. */
export type Verdict = 'holds' | 'broken' | 'unknown';

/** An event that proves something. */
export interface Evidence {
  /** Number of the event; 0: what was given before the first. */
  readonly seq: number;
  /** What it shows, in words. */
  readonly shows: string;
}

/** One place where a rule is broken. */
export interface Finding {
  /** Id of the rule. */
  readonly rule: string;
  /** What kind of break it is, in words without addresses and numbers: findings of one pattern are counted together. */
  readonly pattern: string;
  /** The whole sentence for people. */
  readonly message: string;
  /** First byte; null: it is about no place. In the direct map it is a physical address. */
  readonly start: Address | null;
  readonly bytes: number;
  readonly space: 'virtual' | 'physical' | null;
  /** First event after which it was so. */
  readonly from: number;
  /** Event that ended it; null: still so at the end. */
  readonly to: number | null;
  readonly evidence: readonly Evidence[];
  /** Known failures it fits (F1–F40 of docs/rules.md). */
  readonly failures: readonly string[];
}

/** All findings of one pattern. */
export interface Pattern {
  readonly rule: string;
  readonly pattern: string;
  /** How many findings. */
  readonly count: number;
  /** Bytes of them all. */
  readonly bytes: number;
  /** How many were still so at the end. */
  readonly standing: number;
  /** The first ones, in the order of their first event; at most `MOST_FINDINGS`. */
  readonly findings: readonly Finding[];
  readonly failures: readonly string[];
}

/** Findings of one pattern that are kept whole; the others are counted. */
export const MOST_FINDINGS = 1000;
