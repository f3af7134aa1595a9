/** Predicates over memory, as a tree. The grammar is in docs/bisect.md. */
import type { Address } from '../../core/value/address.js';

/** Where something stands in the text: from the first character to before the last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type ValueType = 'truth' | 'number' | 'text';

export const PAGE_PROPERTIES = {
  r: 'truth',
  w: 'truth',
  x: 'truth',
  mapped: 'truth',
  level: 'number',
  phys: 'number',
  class: 'text',
} as const satisfies Record<string, ValueType>;
export type PageProperty = keyof typeof PAGE_PROPERTIES;

export const ALIAS_PROPERTIES = {
  r: 'truth',
  w: 'truth',
  x: 'truth',
  known: 'truth',
  level: 'number',
} as const satisfies Record<string, ValueType>;
export type AliasProperty = keyof typeof ALIAS_PROPERTIES;

export const PROGRAM_PROPERTIES = {
  state: 'text',
  chunk: 'number',
  len: 'number',
  start: 'number',
} as const satisfies Record<string, ValueType>;
export type ProgramProperty = keyof typeof PROGRAM_PROPERTIES;

export const PACK_PROPERTIES = {
  exists: 'truth',
  used: 'number',
  total: 'number',
} as const satisfies Record<string, ValueType>;
export type PackProperty = keyof typeof PACK_PROPERTIES;

export const AREA_PROPERTIES = { state: 'text' } as const satisfies Record<string, ValueType>;
export type AreaProperty = keyof typeof AREA_PROPERTIES;

/** Values of the whole memory. */
export const TOTALS = [
  'charged',
  'limit',
  'unknown',
  'lost',
  'programs',
  'packs',
  'level2_splits',
  'level3_splits',
  'level2_collapses',
  'level3_collapses',
] as const;
export type Total = (typeof TOTALS)[number];

export const BINARY = ['||', '&&', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*'] as const;
export type Binary = (typeof BINARY)[number];

export type Expression = Span & { readonly type: ValueType } & (
    | { readonly kind: 'literal'; readonly value: boolean | bigint | string }
    | { readonly kind: 'total'; readonly name: Total }
    | { readonly kind: 'page'; readonly at: Address; readonly property: PageProperty }
    | { readonly kind: 'alias'; readonly at: Address; readonly property: AliasProperty }
    | { readonly kind: 'pack'; readonly at: Address; readonly property: PackProperty }
    | { readonly kind: 'area'; readonly at: Address; readonly property: AreaProperty }
    | { readonly kind: 'prog'; readonly what: string; readonly property: ProgramProperty }
    | { readonly kind: 'symbol'; readonly name: string }
    | { readonly kind: 'invariant'; readonly rule: string }
    | { readonly kind: 'not' | 'minus'; readonly of: Expression }
    | {
        readonly kind: 'binary';
        readonly operator: Binary;
        readonly left: Expression;
        readonly right: Expression;
      }
  );

/** All parts of an expression, a part before what it is made of. */
export function* partsOf(expression: Expression): Generator<Expression> {
  yield expression;
  if (expression.kind === 'not' || expression.kind === 'minus') yield* partsOf(expression.of);
  else if (expression.kind === 'binary') {
    yield* partsOf(expression.left);
    yield* partsOf(expression.right);
  }
}
