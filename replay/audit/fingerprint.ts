/** What names a finding from one recording to the next: nothing in it changes when the same work is recorded again. */
import { createHash } from 'node:crypto';

export interface Fingerprinted {
  readonly rule: string;
  readonly pattern: string;
  /** Kernel functions around the event that proves it, innermost first. */
  readonly calls: readonly string[];
  /** Names of the programs that it is about. */
  readonly programs: readonly string[];
}

const DIGITS = 32;

export const fingerprintOf = ({ rule, pattern, calls, programs }: Fingerprinted): string =>
  createHash('sha256')
    .update(JSON.stringify(['pagetrail finding', rule, pattern, calls, programs.toSorted()]))
    .digest('hex')
    .slice(0, DIGITS);

/** Of the findings of a pattern that were counted and not kept: nothing is known of each. */
export const restFingerprint = (rule: string, pattern: string): string =>
  fingerprintOf({ rule, pattern, calls: ['(counted only)'], programs: [] });
