import type { Word } from '../value/words.js';
import { whole } from '../value/whole.js';
import { Address } from '../value/address.js';
import type { Field, FieldType, Words } from '../event/kind.js';

/** Columns of one kind while it is decoded: element j belongs to the j-th event of the kind in the segment. */
export interface NumberColumn {
  readonly numbers: Float64Array;
}
export interface AddressColumn {
  readonly pages: Float64Array;
  readonly offsets: Float64Array;
}
export interface WordColumn {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
}
export interface TextColumn {
  readonly texts: string[];
}
export interface WordsColumn {
  readonly words: Words[];
}
export interface BytesColumn {
  readonly bytes: Uint8Array[];
}

export interface ColumnTypes {
  uint: NumberColumn;
  int: NumberColumn;
  page: NumberColumn;
  address: AddressColumn;
  word: WordColumn;
  text: TextColumn;
  words: WordsColumn;
  bytes: BytesColumn;
}
export type Column = ColumnTypes[FieldType];

/** The column that holds values of type T. */
export type ColumnOf<T> = T extends number
  ? NumberColumn
  : T extends string
    ? TextColumn
    : T extends Uint8Array
      ? BytesColumn
      : T extends Words
        ? WordsColumn
        : T extends Address
          ? AddressColumn
          : WordColumn;

export const numberAt = (column: NumberColumn, j: number): number => whole(column.numbers[j]);
export const textAt = (column: TextColumn, j: number): string => column.texts[j] as string;
export const wordsAt = (column: WordsColumn, j: number): Words => column.words[j] as Words;
export const bytesAt = (column: BytesColumn, j: number): Uint8Array => column.bytes[j] as Uint8Array;
export const addressAt = (column: AddressColumn, j: number): Address =>
  Address.of(whole(column.pages[j]), whole(column.offsets[j]));
export const wordAt = (column: WordColumn, j: number): Word => ({
  hi: whole(column.hi[j]),
  lo: whole(column.lo[j]),
});

const numbers = (rows: number) => new Float64Array(rows);

const create: { readonly [T in FieldType]: (rows: number) => ColumnTypes[T] } = {
  uint: (rows) => ({ numbers: numbers(rows) }),
  int: (rows) => ({ numbers: numbers(rows) }),
  page: (rows) => ({ numbers: numbers(rows) }),
  address: (rows) => ({ pages: numbers(rows), offsets: numbers(rows) }),
  word: (rows) => ({ hi: numbers(rows), lo: numbers(rows) }),
  text: () => ({ texts: [] }),
  words: () => ({ words: [] }),
  bytes: () => ({ bytes: [] }),
};

/** Empty columns for the fields of a kind, by field name. */
export const newColumns = (fields: readonly Field[], rows: number): Record<string, Column> =>
  Object.fromEntries(fields.map(({ name, type }) => [name, create[type](rows)]));

const read: { readonly [T in FieldType]: (column: ColumnTypes[T], j: number) => unknown } = {
  uint: numberAt,
  int: numberAt,
  page: numberAt,
  address: addressAt,
  word: wordAt,
  text: textAt,
  words: wordsAt,
  bytes: bytesAt,
};

/** Value j of a column whose type is known at run time only (kinds of older versions). */
export const valueAt = <T extends FieldType>(type: T, column: ColumnTypes[T], j: number): unknown =>
  read[type](column, j);
