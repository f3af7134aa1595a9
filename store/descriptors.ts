import { fail, ok, type Result } from '../core/value/failure.js';
import { canonicalJson, parseObject, type JsonObject } from './canonical-json.js';
import { row, rows, run, transact, type Connection } from './connection.js';
import { select } from './query.js';

/** How the events of one kind and version are written, so that they can still be read when the program has changed. */
export interface Descriptor {
  readonly kind: string;
  readonly version: number;
  readonly descriptor: JsonObject;
}

/** Keeps descriptors; one that is there already may not say anything else. Returns how many are new. */
export function describe(
  c: Connection,
  list: readonly { readonly kind: string; readonly version: number; readonly descriptor: object }[],
): Result<number> {
  const texts = list.map(({ descriptor }) => canonicalJson(descriptor));
  const bad = list.find((_, i) => !texts[i]?.startsWith('{'));
  if (bad !== undefined)
    return fail('bad-descriptor', `the descriptor of kind ${bad.kind} is not a JSON object`);
  return transact(c, () => {
    let added = 0;
    for (const [i, { kind, version }] of list.entries()) {
      const text = texts[i] ?? '';
      const known = row(c, SELECT, kind, version);
      if (known !== undefined && known.descriptor !== text) {
        return fail(
          'conflict',
          `kind ${kind} version ${version} is described otherwise in this log`,
          c.file,
          'raise the version of a kind when its fields change',
        );
      }
      if (known === undefined) added += run(c, INSERT, kind, version, text);
    }
    return ok(added);
  });
}

const SELECT = select(
  { descriptor: 'text' },
  'SELECT descriptor FROM descriptors WHERE kind = ? AND version = ?',
);
const INSERT = 'INSERT INTO descriptors (kind, version, descriptor) VALUES (?, ?, ?)';

const SELECT_ALL = select(
  { kind: 'text', version: 'integer', descriptor: 'text' },
  'SELECT kind, version, descriptor FROM descriptors ORDER BY kind, version',
);

export const listDescriptors = (c: Connection): readonly Descriptor[] =>
  rows(c, SELECT_ALL).map(({ kind, version, descriptor }) => ({
    kind,
    version,
    descriptor: parseObject(descriptor),
  }));
