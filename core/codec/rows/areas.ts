import type { AreaAllocated, AreaFlagged, AreaFreed, AreasPurged } from '../../event/areas.js';
import { numberAt, textAt } from '../columns.js';
import type { Row } from '../row.js';

const areaAllocated: Row<AreaAllocated> = {
  get: { start: (e) => e.start, pages: (e) => e.pages, flags: (e) => e.flags, caller: (e) => e.caller },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'area-allocated',
    start: numberAt(f.start, j),
    pages: numberAt(f.pages, j),
    flags: numberAt(f.flags, j),
    caller: textAt(f.caller, j),
  }),
};

const areaFlagged: Row<AreaFlagged> = {
  get: { start: (e) => e.start, flags: (e) => e.flags },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'area-flagged',
    start: numberAt(f.start, j),
    flags: numberAt(f.flags, j),
  }),
};

const areaFreed: Row<AreaFreed> = {
  get: { start: (e) => e.start },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'area-freed',
    start: numberAt(f.start, j),
  }),
};

const areasPurged: Row<AreasPurged> = {
  get: { start: (e) => e.start, pages: (e) => e.pages },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'areas-purged',
    start: numberAt(f.start, j),
    pages: numberAt(f.pages, j),
  }),
};

export const areaRows = {
  'area-allocated': areaAllocated,
  'area-flagged': areaFlagged,
  'area-freed': areaFreed,
  'areas-purged': areasPurged,
};
