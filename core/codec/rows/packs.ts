import type {
  PackCreated,
  ChunkAllocated,
  ChunkFreed,
  PackRemoved,
  PackMarked,
  Charged,
  LimitSet,
} from '../../event/packs.js';
import { addressAt, numberAt } from '../columns.js';
import type { Row } from '../row.js';

const packCreated: Row<PackCreated> = {
  get: { start: (e) => e.start, bytes: (e) => e.bytes, partial: (e) => e.partial },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'pack-created',
    start: numberAt(f.start, j),
    bytes: numberAt(f.bytes, j),
    partial: numberAt(f.partial, j),
  }),
};

const chunkAllocated: Row<ChunkAllocated> = {
  get: { pack: (e) => e.pack, at: (e) => e.at, bytes: (e) => e.bytes },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'chunk-allocated',
    pack: numberAt(f.pack, j),
    at: addressAt(f.at, j),
    bytes: numberAt(f.bytes, j),
  }),
};

const chunkFreed: Row<ChunkFreed> = {
  get: { pack: (e) => e.pack, at: (e) => e.at, bytes: (e) => e.bytes },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'chunk-freed',
    pack: numberAt(f.pack, j),
    at: addressAt(f.at, j),
    bytes: numberAt(f.bytes, j),
  }),
};

const packRemoved: Row<PackRemoved> = {
  get: { start: (e) => e.start },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'pack-removed',
    start: numberAt(f.start, j),
  }),
};

const packMarked: Row<PackMarked> = {
  get: { start: (e) => e.start, dirty: (e) => e.dirty },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'pack-marked',
    start: numberAt(f.start, j),
    dirty: numberAt(f.dirty, j),
  }),
};

const charged: Row<Charged> = {
  get: { bytes: (e) => e.bytes },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'charged',
    bytes: numberAt(f.bytes, j),
  }),
};

const limitSet: Row<LimitSet> = {
  get: { bytes: (e) => e.bytes, charged: (e) => e.charged },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'limit-set',
    bytes: numberAt(f.bytes, j),
    charged: numberAt(f.charged, j),
  }),
};

export const packRows = {
  'pack-created': packCreated,
  'chunk-allocated': chunkAllocated,
  'chunk-freed': chunkFreed,
  'pack-removed': packRemoved,
  'pack-marked': packMarked,
  charged: charged,
  'limit-set': limitSet,
};
