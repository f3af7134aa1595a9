import type { Event } from '../event/event.js';
import type { Field, FieldType, FieldTypes } from '../event/kind.js';
import type { Column, ColumnTypes, NumberColumn } from './columns.js';
import { numberOfText, textOf, type Dictionary, type TextNumbers } from './dictionary.js';
import { takeBytes, type Input } from './input.js';
import { putIntegers, takeIntegers, type Range } from './integers.js';
import { MAX_HALF, MAX_INT, MAX_PAGE } from './layout.js';
import { putBytes, type Output } from './output.js';
import { SCRATCH } from './scratch.js';

const { column } = SCRATCH;
const UINT: Range = { min: 0, max: MAX_INT };
const INT: Range = { min: -MAX_INT, max: MAX_INT };
const PAGE: Range = { min: 0, max: MAX_PAGE };
const OFFSET: Range = { min: 0, max: 4095 };
const HALF: Range = { min: 0, max: MAX_HALF };

/** Fields that have a column of their own: in a kind with call-line values, texts and values do not. */
export const columnFields = (fields: readonly Field[]): readonly Field[] =>
  fields.some((field) => field.type === 'words')
    ? fields.filter(({ type }) => type !== 'words' && type !== 'text')
    : fields;

/** Text fields of a kind with call-line values: they belong to its shapes. */
export const shapeFields = (fields: readonly Field[]): readonly Field[] =>
  fields.filter(({ type }) => type === 'text');

/** What the columns of a segment are written with. */
export interface FieldWriter {
  readonly out: Output;
  readonly texts: TextNumbers;
}

type Get<T> = (event: Event) => T;
type Put<T> = (writer: FieldWriter, events: readonly Event[], get: Get<T>) => void;

const putNumbers =
  (range: Range): Put<number> =>
  ({ out }, events, get) => {
    for (let j = 0; j < events.length; j++) column[j] = get(events[j] as Event);
    putIntegers(out, column, events.length, range);
  };

const putPages = putNumbers(PAGE);
const putOffsets = putNumbers(OFFSET);
const putHalves = putNumbers(HALF);

const put: { readonly [T in FieldType]: Put<FieldTypes[T]> } = {
  uint: putNumbers(UINT),
  int: putNumbers(INT),
  page: putPages,
  address(writer, events, get) {
    putPages(writer, events, (event) => get(event).page);
    putOffsets(writer, events, (event) => get(event).offset);
  },
  word(writer, events, get) {
    putHalves(writer, events, (event) => get(event).hi);
    putHalves(writer, events, (event) => get(event).lo);
  },
  text({ out, texts }, events, get) {
    for (let j = 0; j < events.length; j++) column[j] = numberOfText(texts, get(events[j] as Event));
    putIntegers(out, column, events.length, UINT);
  },
  bytes({ out }, events, get) {
    for (let j = 0; j < events.length; j++) column[j] = get(events[j] as Event).length;
    putIntegers(out, column, events.length, UINT);
    for (const event of events) putBytes(out, get(event));
  },
  words() {
    throw new TypeError('call-line values have no column of their own');
  },
};

/** Appends the column of one field of the events, which are of one kind. */
export const putField = (
  writer: FieldWriter,
  type: FieldType,
  events: readonly Event[],
  get: Get<unknown>,
): void => put[type](writer, events, get as never);

type Take<T extends FieldType> = (
  input: Input,
  into: ColumnTypes[T],
  rows: number,
  dictionary: Dictionary,
) => void;

const takeNumbers =
  (range: Range) =>
  (input: Input, { numbers }: NumberColumn, rows: number): void =>
    takeIntegers(input, numbers, rows, range);

const take: { readonly [T in FieldType]: Take<T> } = {
  uint: takeNumbers(UINT),
  int: takeNumbers(INT),
  page: takeNumbers(PAGE),
  address(input, { pages, offsets }, rows) {
    takeIntegers(input, pages, rows, PAGE);
    takeIntegers(input, offsets, rows, OFFSET);
  },
  word(input, { hi, lo }, rows) {
    takeIntegers(input, hi, rows, HALF);
    takeIntegers(input, lo, rows, HALF);
  },
  text(input, { texts }, rows, dictionary) {
    takeIntegers(input, column, rows, { min: 0, max: dictionary.texts.length - 1 });
    for (let j = 0; j < rows; j++) texts.push(textOf(dictionary, column[j] as number));
  },
  bytes(input, { bytes }, rows) {
    takeIntegers(input, column, rows, UINT);
    for (let j = 0; j < rows; j++) bytes.push(takeBytes(input, column[j] as number).slice());
  },
  words() {
    throw new TypeError('call-line values have no column of their own');
  },
};

/** Reads the column of one field. */
export const takeField = (
  input: Input,
  type: FieldType,
  into: Column,
  rows: number,
  dictionary: Dictionary,
): void => take[type](input, into as never, rows, dictionary);
