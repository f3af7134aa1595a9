import type { Address } from '../value/address.js';
import { kindOf, type Common } from './kind.js';

export interface PackCreated extends Common {
  readonly kind: 'pack-created';
  readonly start: number;
  readonly bytes: number;
  /** 1 where it is not known which chunks are taken (a pack older than the recording). */
  readonly partial: number;
}
export const PackCreated = kindOf<PackCreated>()('pack-created', 40, 'a pack was put on the list', {
  start: ['page', 'first page'],
  bytes: ['uint', 'size'],
  partial: ['uint', '1: which chunks are taken is not fully known'],
});

export interface ChunkAllocated extends Common {
  readonly kind: 'chunk-allocated';
  /** First page of the pack; 0 for an area of its own (larger than a pack). */
  readonly pack: number;
  readonly at: Address;
  readonly bytes: number;
}
export const ChunkAllocated = kindOf<ChunkAllocated>()('chunk-allocated', 41, 'chunks of a pack were taken', {
  pack: ['page', 'first page of the pack'],
  at: ['address', 'first byte'],
  bytes: ['uint', 'bytes, a multiple of 64'],
});

export interface ChunkFreed extends Common {
  readonly kind: 'chunk-freed';
  readonly pack: number;
  readonly at: Address;
  readonly bytes: number;
}
export const ChunkFreed = kindOf<ChunkFreed>()('chunk-freed', 42, 'chunks of a pack were given back', {
  pack: ['page', 'first page of the pack'],
  at: ['address', 'first byte'],
  bytes: ['uint', 'bytes, a multiple of 64'],
});

export interface PackRemoved extends Common {
  readonly kind: 'pack-removed';
  readonly start: number;
}
export const PackRemoved = kindOf<PackRemoved>()('pack-removed', 43, 'a pack was taken off the list', {
  start: ['page', 'first page'],
});

/** The dirty mark of a pack (7.1+, predictor flush) changed. */
export interface PackMarked extends Common {
  readonly kind: 'pack-marked';
  /** First page of the pack; 0: every pack. */
  readonly start: number;
  readonly dirty: number;
}
export const PackMarked = kindOf<PackMarked>()(
  'pack-marked',
  44,
  'whether a predictor flush is due for a pack (0: of every pack)',
  {
    start: ['page', 'first page; 0: every pack'],
    dirty: ['uint', '1: a flush is due before a classic program may use it'],
  },
);

/** bpf_jit_current changed. */
export interface Charged extends Common {
  readonly kind: 'charged';
  /** Bytes; negative: uncharged. */
  readonly bytes: number;
}
export const Charged = kindOf<Charged>()('charged', 45, 'JIT memory was charged or uncharged', {
  bytes: ['int', 'bytes; negative: uncharged'],
});

export interface LimitSet extends Common {
  readonly kind: 'limit-set';
  readonly bytes: number;
  /** Charged so far, or -1 where unknown. */
  readonly charged: number;
}
export const LimitSet = kindOf<LimitSet>()('limit-set', 46, 'bpf_jit_limit and what is charged', {
  bytes: ['uint', 'limit in bytes'],
  charged: ['int', 'charged so far in bytes; -1: unknown'],
});
