import { Address } from '../../core/value/address.js';

/** Bytes from `start` up to, not including, `end`. */
export interface AddressRange {
  readonly start: Address;
  /** Exclusive. */
  readonly end: Address;
}

export const rangeBytes = (range: AddressRange): number => Address.minus(range.end, range.start);

/** `START-END`, both hex with or without `0x`; null when it is not that, or END is not after START. */
export const parseRange = (start: string, end: string): AddressRange | null => {
  const from = Address.parse(start);
  const to = Address.parse(end);
  if (from === null || to === null || Address.compare(from, to) >= 0) return null;
  return { start: from, end: to };
};
