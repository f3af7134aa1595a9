/**
 * An element of a Float64Array as V8 keeps it best: small integers as such, not boxed as doubles.
 */
export function whole(value: number | undefined): number {
  const small = (value as number) | 0;
  return small === value ? small : (value as number);
}
