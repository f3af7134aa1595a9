/** What a column holds, checked when it is read: the file may be damaged, or not ours at all. */
interface Kinds {
  /** Not negative, below 2^53. */
  readonly integer: number;
  readonly text: string;
  readonly 'text or null': string | null;
  readonly blob: Buffer;
  /** A blob of 32 bytes. */
  readonly hash: Buffer;
}

const IS: { readonly [K in keyof Kinds]: (value: unknown) => boolean } = {
  integer: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  text: (value) => typeof value === 'string',
  'text or null': (value) => value === null || typeof value === 'string',
  blob: (value) => Buffer.isBuffer(value),
  hash: (value) => Buffer.isBuffer(value) && value.length === 32,
};

type Shape = Readonly<Record<string, keyof Kinds>>;
type RowOf<S extends Shape> = { readonly [K in keyof S]: Kinds[S[K]] };

/** The text of a query, and the rows it gives. */
export interface Query<R> {
  readonly sql: string;
  readonly gives: (row: unknown) => row is R;
}

/** A query whose columns are named and of the kinds that `shape` says. */
export function select<S extends Shape>(shape: S, sql: string): Query<RowOf<S>> {
  const columns = Object.entries(shape).map(([name, kind]) => [name, IS[kind]] as const);
  const gives = (row: unknown): row is RowOf<S> =>
    columns.every(([name, is]) => is((row as Readonly<Record<string, unknown>>)[name]));
  return { sql, gives };
}

export type RowIn<Q> = Q extends Query<infer R> ? R : never;

/** A row that is not what its query says: the file is damaged. */
export class MalformedRow extends Error {}
