import type {
  ProgramAllocated,
  ProgramPlaced,
  ProgramFinalized,
  Published,
  Unpublished,
  ProgramFreed,
  ProgramJoined,
} from '../../event/programs.js';
import { addressAt, numberAt, textAt, wordAt } from '../columns.js';
import type { Row } from '../row.js';

const programAllocated: Row<ProgramAllocated> = {
  get: {
    program: (e) => e.program,
    pointer: (e) => e.pointer,
    chunk: (e) => e.chunk,
    bytes: (e) => e.bytes,
    proglen: (e) => e.proglen,
    type: (e) => e.type,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'program-allocated',
    program: numberAt(f.program, j),
    pointer: wordAt(f.pointer, j),
    chunk: addressAt(f.chunk, j),
    bytes: numberAt(f.bytes, j),
    proglen: numberAt(f.proglen, j),
    type: textAt(f.type, j),
  }),
};

const programPlaced: Row<ProgramPlaced> = {
  get: { program: (e) => e.program, start: (e) => e.start, length: (e) => e.length },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'program-placed',
    program: numberAt(f.program, j),
    start: addressAt(f.start, j),
    length: numberAt(f.length, j),
  }),
};

const programFinalized: Row<ProgramFinalized> = {
  get: { program: (e) => e.program },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'program-finalized',
    program: numberAt(f.program, j),
  }),
};

const published: Row<Published> = {
  get: {
    program: (e) => e.program,
    start: (e) => e.start,
    end: (e) => e.end,
    name: (e) => e.name,
    id: (e) => e.id,
    ksym: (e) => e.ksym,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'published',
    program: numberAt(f.program, j),
    start: addressAt(f.start, j),
    end: addressAt(f.end, j),
    name: textAt(f.name, j),
    id: numberAt(f.id, j),
    ksym: wordAt(f.ksym, j),
  }),
};

const unpublished: Row<Unpublished> = {
  get: { start: (e) => e.start, name: (e) => e.name, ksym: (e) => e.ksym },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'unpublished',
    start: addressAt(f.start, j),
    name: textAt(f.name, j),
    ksym: wordAt(f.ksym, j),
  }),
};

const programFreed: Row<ProgramFreed> = {
  get: { program: (e) => e.program },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'program-freed',
    program: numberAt(f.program, j),
  }),
};

const programJoined: Row<ProgramJoined> = {
  get: { program: (e) => e.program, pointer: (e) => e.pointer },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'program-joined',
    program: numberAt(f.program, j),
    pointer: wordAt(f.pointer, j),
  }),
};

export const programRows = {
  'program-allocated': programAllocated,
  'program-placed': programPlaced,
  'program-finalized': programFinalized,
  published: published,
  unpublished: unpublished,
  'program-freed': programFreed,
  'program-joined': programJoined,
};
