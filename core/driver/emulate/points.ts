/** Where a task can be overtaken: what it is about to do that others may do too. */
import type { Fact } from '../../event/event.js';
import type { Lock, Request } from '../../kernel/request.js';

/** Something that tasks share, about to be changed; or a lock about to be taken. */
export interface Point {
  readonly object: string;
  /** The lock itself, where one is taken. */
  readonly lock: Lock | null;
}

/** Functions that change what is charged: one atomic step each. */
const CHARGES = new Set(['bpf_jit_charge_modmem', 'bpf_jit_uncharge_modmem']);
const REGION = 512;

/** What a fact changes that other tasks change too; null: it is the task's own. */
const objectOf = (fact: Fact): string | null => {
  switch (fact.kind) {
    case 'pack-created':
    case 'pack-removed':
    case 'pack-marked':
    case 'chunk-allocated':
    case 'chunk-freed':
      return 'packs';
    case 'area-allocated':
    case 'area-freed':
    case 'areas-purged':
      return 'areas';
    case 'permission':
    case 'split':
    case 'collapsed':
      return `permissions ${fact.space} ${Math.floor(fact.page / REGION)}`;
    case 'copied':
    case 'filled':
      return `text ${Math.floor(fact.to.page / REGION)}`;
    default:
      return null;
  }
};

/** What a request is about to do to what is shared; null: nothing. */
export const pointOf = (request: Request): Point | null => {
  switch (request.request) {
    case 'lock':
      return request.taken ? { object: request.lock, lock: request.lock } : null;
    case 'call':
      return CHARGES.has(request.fn.name) ? { object: 'charge', lock: null } : null;
    case 'state': {
      const object = objectOf(request.fact);
      return object === null ? null : { object, lock: null };
    }
    default:
      return null;
  }
};
