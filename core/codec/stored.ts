import { KINDS, type Event } from '../event/event.js';
import type { Field, Kind } from '../event/kind.js';
import { valueAt, type Column } from './columns.js';
import { damaged, tooNew, type Input } from './input.js';
import type { AnyRow } from './row.js';
import { ROWS } from './rows.js';
import { wayUp, type AnyVersion, type Versions } from './upcast.js';

/** A kind as a segment has it: the version written, and how its events are made as they are today. */
export interface Stored {
  /** The kind today. */
  readonly current: Kind;
  /** Fields of the version written. */
  readonly fields: readonly Field[];
  readonly make: AnyRow['make'];
}

/** Makes events of a version without a row of its own, field by field. */
function makeAny({ kind, fields }: Kind, up: (event: AnyVersion) => Event): AnyRow['make'] {
  return (seq, time, cpu, task, call, origin, f: Readonly<Record<string, Column>>, j) => {
    const payload = fields.map(({ name, type }) => [name, valueAt(type, f[name] as never, j)] as const);
    return up({ seq, time, cpu, task, call, origin, kind, ...Object.fromEntries(payload) });
  };
}

/** How a version of a kind is read. */
export function storedKind(
  input: Input,
  code: number,
  version: number,
  { kinds, upcasts }: Versions,
): Stored {
  const current = kinds.find((kind) => kind.code === code);
  if (current === undefined) tooNew(input, `kind ${code} is unknown`);
  if (version > current.version) tooNew(input, `version ${version} of ${current.kind} is unknown`);
  if (version === current.version && KINDS.includes(current))
    return { current, fields: current.fields, make: (ROWS[current.kind] as AnyRow).make };
  const own =
    version === current.version
      ? current
      : upcasts.find(({ from }) => from.code === code && from.version === version)?.from;
  const up = wayUp(upcasts, code, version, current.version);
  if (own === undefined || up === null)
    damaged(input, `there is no way up from version ${version} of ${current.kind}`);
  return { current, fields: own.fields, make: makeAny(own, up) };
}
