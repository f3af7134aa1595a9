import { KINDS, type Event } from '../event/event.js';
import type { Field, Kind } from '../event/kind.js';
import { valueAt, type Column } from './columns.js';
import { damaged, tooNew, type Input } from './input.js';
import type { AnyRow } from './row.js';
import { ROWS } from './rows.js';
import { wayUp, type AnyVersion, type Upcasts } from './upcast.js';

/** A kind as a segment has it: the version written, and how its events are made as they are today. */
export interface Stored {
  /** The kind today. */
  readonly current: Kind;
  /** Fields of the version written. */
  readonly fields: readonly Field[];
  readonly make: AnyRow['make'];
}

const CURRENT: ReadonlyMap<number, Kind> = new Map(KINDS.map((kind) => [kind.code, kind]));

/** Makes events of an older version, field by field, and brings them up. */
function makeOlder(from: Kind, up: (event: AnyVersion) => Event): AnyRow['make'] {
  return (seq, time, cpu, task, call, origin, f: Readonly<Record<string, Column>>, j) => {
    const payload = from.fields.map(({ name, type }) => [name, valueAt(type, f[name] as never, j)] as const);
    return up({ seq, time, cpu, task, call, origin, kind: from.kind, ...Object.fromEntries(payload) });
  };
}

/** How a version of a kind is read. */
export function storedKind(input: Input, code: number, version: number, upcasts: Upcasts): Stored {
  const current = CURRENT.get(code);
  if (current === undefined) tooNew(input, `kind ${code} is unknown`);
  const { kind } = current;
  if (version > current.version) tooNew(input, `version ${version} of ${kind} is unknown`);
  const row = ROWS[kind] as AnyRow;
  if (version === current.version) return { current, fields: current.fields, make: row.make };
  const from = upcasts.find((upcast) => upcast.from.code === code && upcast.from.version === version)?.from;
  const up = wayUp(upcasts, code, version, current.version);
  if (from === undefined || up === null) damaged(input, `version ${version} of ${kind} cannot be read`);
  return { current, fields: from.fields, make: makeOlder(from, up) };
}
