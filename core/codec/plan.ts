import { KINDS, type Event } from '../event/event.js';
import type { FieldType, Kind, Words } from '../event/kind.js';
import { columnFields, shapeFields } from './fields.js';
import { ROWS } from './rows.js';

type Get<T> = (event: Event) => T;

/** A kind as the encoder uses it. */
export interface Plan {
  readonly kind: Kind;
  readonly columns: readonly {
    readonly name: string;
    readonly type: FieldType;
    readonly get: Get<unknown>;
  }[];
  /** Of a kind with call-line values: its texts and its values. */
  readonly texts: readonly Get<string>[];
  readonly words: Get<Words> | null;
}

function planOf(kind: Kind): Plan {
  const row = ROWS[kind.kind];
  if (row === undefined) throw new TypeError(`kind ${kind.kind} has no row in core/codec/rows`);
  const getter = (name: string) => row.get[name] as Get<never>;
  const words = kind.fields.find(({ type }) => type === 'words');
  return {
    kind,
    columns: columnFields(kind.fields).map(({ name, type }) => ({ name, type, get: getter(name) })),
    texts: words === undefined ? [] : shapeFields(kind.fields).map(({ name }) => getter(name)),
    words: words === undefined ? null : getter(words.name),
  };
}

/** Plans of all kinds, by kind. */
export const PLANS: ReadonlyMap<string, Plan> = new Map(KINDS.map((kind) => [kind.kind, planOf(kind)]));
