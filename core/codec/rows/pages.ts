import type {
  Mapped,
  Unmapped,
  DirectMapped,
  Permission,
  Split,
  Collapsed,
  Identified,
  FramesReleased,
  BasesLearned,
  LeafKnown,
} from '../../event/pages.js';
import { numberAt, wordAt } from '../columns.js';
import type { Row } from '../row.js';

const mapped: Row<Mapped> = {
  get: {
    page: (e) => e.page,
    pages: (e) => e.pages,
    shift: (e) => e.shift,
    prot: (e) => e.prot,
    frame: (e) => e.frame,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'mapped',
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
    shift: numberAt(f.shift, j),
    prot: numberAt(f.prot, j),
    frame: numberAt(f.frame, j),
  }),
};

const unmapped: Row<Unmapped> = {
  get: { page: (e) => e.page, pages: (e) => e.pages },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'unmapped',
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
  }),
};

const directMapped: Row<DirectMapped> = {
  get: { page: (e) => e.page, pages: (e) => e.pages, shift: (e) => e.shift, prot: (e) => e.prot },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'direct-mapped',
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
    shift: numberAt(f.shift, j),
    prot: numberAt(f.prot, j),
  }),
};

const permission: Row<Permission> = {
  get: {
    space: (e) => e.space,
    page: (e) => e.page,
    pages: (e) => e.pages,
    set: (e) => e.set,
    clear: (e) => e.clear,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'permission',
    space: numberAt(f.space, j),
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
    set: numberAt(f.set, j),
    clear: numberAt(f.clear, j),
  }),
};

const split: Row<Split> = {
  get: { space: (e) => e.space, page: (e) => e.page, from: (e) => e.from, to: (e) => e.to },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'split',
    space: numberAt(f.space, j),
    page: numberAt(f.page, j),
    from: numberAt(f.from, j),
    to: numberAt(f.to, j),
  }),
};

const collapsed: Row<Collapsed> = {
  get: { space: (e) => e.space, page: (e) => e.page, from: (e) => e.from, to: (e) => e.to },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'collapsed',
    space: numberAt(f.space, j),
    page: numberAt(f.page, j),
    from: numberAt(f.from, j),
    to: numberAt(f.to, j),
  }),
};

const identified: Row<Identified> = {
  get: { frame: (e) => e.frame, page: (e) => e.page, pages: (e) => e.pages },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'identified',
    frame: numberAt(f.frame, j),
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
  }),
};

const framesReleased: Row<FramesReleased> = {
  get: { start: (e) => e.start },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'frames-released',
    start: numberAt(f.start, j),
  }),
};

const basesLearned: Row<BasesLearned> = {
  get: { direct: (e) => e.direct, vmemmap: (e) => e.vmemmap },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'bases-learned',
    direct: numberAt(f.direct, j),
    vmemmap: wordAt(f.vmemmap, j),
  }),
};

const leafKnown: Row<LeafKnown> = {
  get: { page: (e) => e.page, shift: (e) => e.shift },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'leaf-known',
    page: numberAt(f.page, j),
    shift: numberAt(f.shift, j),
  }),
};

export const pageRows = {
  mapped: mapped,
  unmapped: unmapped,
  'direct-mapped': directMapped,
  permission: permission,
  split: split,
  collapsed: collapsed,
  identified: identified,
  'frames-released': framesReleased,
  'bases-learned': basesLearned,
  'leaf-known': leafKnown,
};
