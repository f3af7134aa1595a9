import type { Copied, Filled, Seen, Content, TlbFlushed, IcacheFlushed } from '../../event/text.js';
import { addressAt, bytesAt, numberAt, textAt } from '../columns.js';
import type { Row } from '../row.js';

const copied: Row<Copied> = {
  get: { to: (e) => e.to, length: (e) => e.length, what: (e) => e.what, way: (e) => e.way },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'copied',
    to: addressAt(f.to, j),
    length: numberAt(f.length, j),
    what: textAt(f.what, j),
    way: textAt(f.way, j),
  }),
};

const filled: Row<Filled> = {
  get: { to: (e) => e.to, length: (e) => e.length, pattern: (e) => e.pattern, way: (e) => e.way },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'filled',
    to: addressAt(f.to, j),
    length: numberAt(f.length, j),
    pattern: numberAt(f.pattern, j),
    way: textAt(f.way, j),
  }),
};

const seen: Row<Seen> = {
  get: { at: (e) => e.at, value: (e) => e.value },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'seen',
    at: addressAt(f.at, j),
    value: numberAt(f.value, j),
  }),
};

const content: Row<Content> = {
  get: {
    frame: (e) => e.frame,
    block: (e) => e.block,
    blocks: (e) => e.blocks,
    class: (e) => e.class,
    ref: (e) => e.ref,
    bytes: (e) => e.bytes,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'content',
    frame: numberAt(f.frame, j),
    block: numberAt(f.block, j),
    blocks: numberAt(f.blocks, j),
    class: numberAt(f.class, j),
    ref: numberAt(f.ref, j),
    bytes: bytesAt(f.bytes, j),
  }),
};

const tlbFlushed: Row<TlbFlushed> = {
  get: { page: (e) => e.page, pages: (e) => e.pages, why: (e) => e.why },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'tlb-flushed',
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
    why: textAt(f.why, j),
  }),
};

const icacheFlushed: Row<IcacheFlushed> = {
  get: { at: (e) => e.at, length: (e) => e.length },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'icache-flushed',
    at: addressAt(f.at, j),
    length: numberAt(f.length, j),
  }),
};

export const textRows = {
  copied: copied,
  filled: filled,
  seen: seen,
  content: content,
  'tlb-flushed': tlbFlushed,
  'icache-flushed': icacheFlushed,
};
