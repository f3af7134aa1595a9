import type { Entered, Returned, Chosen } from '../../event/calls.js';
import { textAt, wordsAt } from '../columns.js';
import type { Row } from '../row.js';

const entered: Row<Entered> = {
  get: { fn: (e) => e.fn, place: (e) => e.place, names: (e) => e.names, values: (e) => e.values },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'entered',
    fn: textAt(f.fn, j),
    place: textAt(f.place, j),
    names: textAt(f.names, j),
    values: wordsAt(f.values, j),
  }),
};

const returned: Row<Returned> = {
  get: { fn: (e) => e.fn, place: (e) => e.place, names: (e) => e.names, values: (e) => e.values },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'returned',
    fn: textAt(f.fn, j),
    place: textAt(f.place, j),
    names: textAt(f.names, j),
    values: wordsAt(f.values, j),
  }),
};

const chosen: Row<Chosen> = {
  get: { what: (e) => e.what, value: (e) => e.value, predicted: (e) => e.predicted },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'chosen',
    what: textAt(f.what, j),
    value: textAt(f.value, j),
    predicted: textAt(f.predicted, j),
  }),
};

export const callRows = {
  entered: entered,
  returned: returned,
  chosen: chosen,
};
