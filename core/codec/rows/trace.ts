import type {
  Marker,
  Gap,
  Divergence,
  Forgotten,
  Operation,
  Counter,
  Noted,
  Warned,
} from '../../event/trace.js';
import { numberAt, textAt } from '../columns.js';
import type { Row } from '../row.js';

const marker: Row<Marker> = {
  get: { text: (e) => e.text },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'marker',
    text: textAt(f.text, j),
  }),
};

const gap: Row<Gap> = {
  get: { lost: (e) => e.lost, why: (e) => e.why },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'gap',
    lost: numberAt(f.lost, j),
    why: textAt(f.why, j),
  }),
};

const divergence: Row<Divergence> = {
  get: {
    id: (e) => e.id,
    line: (e) => e.line,
    fn: (e) => e.fn,
    model: (e) => e.model,
    recorded: (e) => e.recorded,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'divergence',
    id: textAt(f.id, j),
    line: numberAt(f.line, j),
    fn: textAt(f.fn, j),
    model: textAt(f.model, j),
    recorded: textAt(f.recorded, j),
  }),
};

const forgotten: Row<Forgotten> = {
  get: { page: (e) => e.page, pages: (e) => e.pages, why: (e) => e.why },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'forgotten',
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
    why: textAt(f.why, j),
  }),
};

const operation: Row<Operation> = {
  get: { index: (e) => e.index, json: (e) => e.json },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'operation',
    index: numberAt(f.index, j),
    json: textAt(f.json, j),
  }),
};

const counter: Row<Counter> = {
  get: { name: (e) => e.name, value: (e) => e.value },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'counter',
    name: textAt(f.name, j),
    value: numberAt(f.value, j),
  }),
};

const noted: Row<Noted> = {
  get: { event: (e) => e.event, body: (e) => e.body },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'noted',
    event: textAt(f.event, j),
    body: textAt(f.body, j),
  }),
};

const warned: Row<Warned> = {
  get: { text: (e) => e.text, bug: (e) => e.bug },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'warned',
    text: textAt(f.text, j),
    bug: numberAt(f.bug, j),
  }),
};

export const traceRows = {
  marker: marker,
  gap: gap,
  divergence: divergence,
  forgotten: forgotten,
  operation: operation,
  counter: counter,
  noted: noted,
  warned: warned,
};
