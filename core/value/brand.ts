/** A number (or text) that may not be mistaken for another one. `Brand<number, 'Seq'>` is assignable to number, not the other way round. */
export type Brand<T, B extends string> = T & { readonly __brand: B };
