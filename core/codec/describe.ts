import { KINDS } from '../event/event.js';
import type { FieldType, Kind } from '../event/kind.js';
import { fail, ok, type Result } from '../value/failure.js';
import { FIELD_TYPES } from './columns.js';

/** One version of a kind as a file of segments keeps it (JSON): with this its events can be read in any language. */
export interface KindDescription {
  readonly kind: string;
  readonly code: number;
  readonly version: number;
  /** In the order of their columns. */
  readonly fields: readonly { readonly name: string; readonly type: FieldType }[];
}

/** The kinds that this program writes. */
export const describeKinds = (kinds: readonly Kind[] = KINDS): readonly KindDescription[] =>
  kinds.map(({ kind, code, version, fields }) => ({
    kind,
    code,
    version,
    fields: fields.map(({ name, type }) => ({ name, type })),
  }));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isField = (value: unknown): value is KindDescription['fields'][number] =>
  isRecord(value) && typeof value['name'] === 'string' && FIELD_TYPES.includes(value['type'] as FieldType);

const isDescription = (value: unknown): value is KindDescription =>
  isRecord(value) &&
  typeof value['kind'] === 'string' &&
  Number.isSafeInteger(value['code']) &&
  Number.isSafeInteger(value['version']) &&
  Array.isArray(value['fields']) &&
  value['fields'].every(isField);

const WRONG = 'kinds-damaged';

/** Descriptions read from a file, checked. */
export function parseKinds(json: unknown): Result<readonly KindDescription[]> {
  if (!Array.isArray(json)) return fail(WRONG, 'the description of the kinds is no list');
  const wrong = json.findIndex((value) => !isDescription(value));
  return wrong < 0
    ? ok(json as KindDescription[])
    : fail(WRONG, `entry ${wrong} of the description of the kinds is none`);
}

const sameFields = (a: KindDescription, b: KindDescription): boolean =>
  JSON.stringify(describeFields(a)) === JSON.stringify(describeFields(b));
const describeFields = ({ kind, fields }: KindDescription) => [
  kind,
  fields.map(({ name, type }) => [name, type]),
];

/**
 * What a file has to keep when this program adds to it: what it kept and the versions that are new to it. The same version with other
 * fields is the failure `kind-conflict`: a kind was changed and its version was not.
 */
export function mergeKinds(
  stored: readonly KindDescription[],
  ours: readonly KindDescription[] = describeKinds(),
): Result<readonly KindDescription[]> {
  const merged = [...stored];
  for (const own of ours) {
    const known = stored.find(({ code, version }) => code === own.code && version === own.version);
    if (known === undefined) merged.push(own);
    else if (!sameFields(known, own))
      return fail(
        'kind-conflict',
        `version ${own.version} of ${own.kind} has other fields in this file`,
        undefined,
        'it was written by another build of pagetrail',
      );
  }
  return ok(merged.sort((a, b) => a.code - b.code || a.version - b.version));
}
