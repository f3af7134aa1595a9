/** Addresses as SQLite keeps them: signed 64-bit integers with the bits of the unsigned address. */
import { Address } from '../value/address.js';

const PAGES_OF_64_BITS = 2 ** 52;
const PAGE = 4096n;

/** The first byte of a page as SQLite keeps an address: a signed 64-bit integer. */
export const signedAddress = (page: number): bigint =>
  BigInt(page >= PAGES_OF_64_BITS / 2 ? page - PAGES_OF_64_BITS : page) * PAGE;

/** The page of such an address. */
export const pageOfSigned = (address: bigint): number => {
  const page = Number(address >> 12n);
  return page < 0 ? page + PAGES_OF_64_BITS : page;
};

/** The first byte of anything as SQLite keeps it. */
export const signed = (at: Address): bigint => signedAddress(at.page) + BigInt(at.offset);

/** The address that is kept so. */
export const addressOfSigned = (value: bigint): Address =>
  Address.of(pageOfSigned(value), Number(value & 0xfffn));
