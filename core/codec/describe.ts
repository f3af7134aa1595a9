import { KINDS } from '../event/event.js';
import type { FieldType, Kind } from '../event/kind.js';

/** One version of a kind as a file of segments keeps it: with this its events can be read in any language. */
export interface KindDescriptor {
  readonly kind: string;
  readonly code: number;
  readonly version: number;
  /** In the order of their columns. */
  readonly fields: readonly { readonly name: string; readonly type: FieldType }[];
}

/** What `Store.describe` takes. */
export interface DescribedKind {
  readonly kind: string;
  readonly version: number;
  readonly descriptor: KindDescriptor;
}

/** The kinds that this program writes. Nothing of a descriptor may change without a new version of its kind, so it holds no prose. */
export const describeKinds = (kinds: readonly Kind[] = KINDS): readonly DescribedKind[] =>
  kinds.map(({ kind, code, version, fields }) => ({
    kind,
    version,
    descriptor: { kind, code, version, fields: fields.map(({ name, type }) => ({ name, type })) },
  }));
