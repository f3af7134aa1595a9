/** What an expression depends on: between two events of these, its value stays. */
import type { EventKind } from '../../core/event/event.js';
import { partsOf, type Expression, type Total } from './expression.js';
import type { Surroundings } from './evaluate.js';

export interface PageRange {
  readonly first: number;
  readonly end: number;
}

export interface Needs {
  /** Virtual pages whose changes matter, those of their frames, areas and programs included. */
  readonly pages: readonly PageRange[];
  /** Kinds of events any of which matters. */
  readonly kinds: ReadonlySet<EventKind>;
  /** Single events that matter. */
  readonly events: readonly number[];
}

const SPLITS: readonly EventKind[] = ['split', 'collapsed', 'counter', 'gap'];
const OF_TOTALS: Readonly<Record<Total, readonly EventKind[]>> = {
  charged: ['charged', 'limit-set', 'gap'],
  limit: ['limit-set'],
  unknown: ['forgotten', 'area-allocated'],
  lost: ['gap'],
  programs: ['program-allocated', 'program-freed', 'gap'],
  packs: ['pack-created', 'pack-removed', 'gap'],
  level2_splits: SPLITS,
  level3_splits: SPLITS,
  level2_collapses: SPLITS,
  level3_collapses: SPLITS,
};
const OF_PACKS: readonly EventKind[] = [
  'pack-created',
  'pack-removed',
  'chunk-allocated',
  'chunk-freed',
  'gap',
];
const OF_SYMBOLS: readonly EventKind[] = ['published', 'unpublished', 'gap'];

export const needsOf = (expression: Expression, { rules, programs }: Surroundings): Needs => {
  const pages: PageRange[] = [];
  const kinds = new Set<EventKind>();
  const events = new Set<number>();
  const add = (list: readonly EventKind[]): void => {
    for (const kind of list) kinds.add(kind);
  };
  for (const part of partsOf(expression))
    switch (part.kind) {
      case 'page':
      case 'alias':
      case 'area':
        pages.push({ first: part.at.page, end: part.at.page + 1 });
        break;
      case 'prog':
        {
          const program = programs.get(part.what);
          if (program !== undefined) pages.push(program);
        }
        break;
      case 'pack':
        add(OF_PACKS);
        break;
      case 'symbol':
        add(OF_SYMBOLS);
        break;
      case 'total':
        add(OF_TOTALS[part.name]);
        break;
      case 'invariant': {
        const broken = rules.get(part.rule)?.broken;
        if (broken !== null && broken !== undefined) events.add(broken);
        break;
      }
      default:
        break;
    }
  return { pages, kinds, events: [...events].sort((a, b) => a - b) };
};
