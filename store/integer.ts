/** An unsigned 64-bit value (an address) as SQLite keeps it: the signed integer with the same bits. */
export const signed64 = (value: bigint): bigint => BigInt.asIntN(64, value);

/** The unsigned 64-bit value of a stored signed integer. */
export const unsigned64 = (value: bigint): bigint => BigInt.asUintN(64, value);
