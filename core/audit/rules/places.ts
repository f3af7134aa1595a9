/** Findings about bytes at an address. */
import { Address } from '../../value/address.js';
import type { Evidence, Finding } from '../finding.js';

export const bytesText = (at: Address, bytes: number): string => `${bytes} bytes at ${Address.toText(at)}`;

/** A finding about bytes of virtual memory, so from an event on. */
export const placeFinding = (
  at: Address,
  bytes: number,
  {
    pattern,
    message,
    from,
    to = null,
    evidence,
    failures = [],
  }: {
    readonly pattern: string;
    readonly message: string;
    readonly from: number;
    readonly to?: number | null;
    readonly evidence: readonly Evidence[];
    readonly failures?: readonly string[];
  },
): Omit<Finding, 'rule'> => ({
  pattern,
  message,
  start: at,
  bytes,
  space: 'virtual',
  from,
  to,
  evidence,
  failures,
});
