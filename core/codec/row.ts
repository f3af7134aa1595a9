import type { Event } from '../event/event.js';
import type { Common, Origin } from '../event/kind.js';
import type { ColumnOf } from './columns.js';

type Payload<E> = Omit<E, keyof Common | 'kind'>;

/** Columns of all fields of a kind, by name. */
export type ColumnsOf<E> = { readonly [K in keyof Payload<E>]-?: ColumnOf<Payload<E>[K]> };

/**
 * How events of one kind become columns and how they are made again. Written out kind by kind: a getter or an object literal of its own
 * is three times as fast as one shared by all kinds, and every event of a kind has its properties in the same order.
 */
export interface Row<E> {
  readonly get: { readonly [K in keyof Payload<E>]-?: (event: E) => Payload<E>[K] };
  readonly make: (
    seq: number,
    time: number,
    cpu: number,
    task: string,
    call: number,
    origin: Origin,
    f: ColumnsOf<E>,
    j: number,
  ) => E;
}

/** A row whose kind is known at run time only. */
export interface AnyRow {
  readonly get: Readonly<Record<string, (event: Event) => unknown>>;
  readonly make: (
    seq: number,
    time: number,
    cpu: number,
    task: string,
    call: number,
    origin: Origin,
    f: never,
    j: number,
  ) => Event;
}
