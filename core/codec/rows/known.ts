import type {
  AreaBacked,
  FramesNamed,
  PagesKnown,
  ProgramKnown,
  StateKnown,
  WordSeen,
} from '../../event/known.js';
import { addressAt, numberAt, textAt, wordAt } from '../columns.js';
import type { Row } from '../row.js';

const pagesKnown: Row<PagesKnown> = {
  get: {
    space: (e) => e.space,
    page: (e) => e.page,
    pages: (e) => e.pages,
    shift: (e) => e.shift,
    prot: (e) => e.prot,
    frame: (e) => e.frame,
    mark: (e) => e.mark,
    leaf: (e) => e.leaf,
    stride: (e) => e.stride,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'pages-known',
    space: numberAt(f.space, j),
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
    shift: numberAt(f.shift, j),
    prot: numberAt(f.prot, j),
    frame: numberAt(f.frame, j),
    mark: numberAt(f.mark, j),
    leaf: numberAt(f.leaf, j),
    stride: numberAt(f.stride, j),
  }),
};

const areaBacked: Row<AreaBacked> = {
  get: { start: (e) => e.start, index: (e) => e.index, pages: (e) => e.pages, frame: (e) => e.frame },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'area-backed',
    start: numberAt(f.start, j),
    index: numberAt(f.index, j),
    pages: numberAt(f.pages, j),
    frame: numberAt(f.frame, j),
  }),
};

const framesNamed: Row<FramesNamed> = {
  get: { frame: (e) => e.frame, page: (e) => e.page, pages: (e) => e.pages },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'frames-named',
    frame: numberAt(f.frame, j),
    page: numberAt(f.page, j),
    pages: numberAt(f.pages, j),
  }),
};

const wordSeen: Row<WordSeen> = {
  get: { frame: (e) => e.frame, offset: (e) => e.offset, value: (e) => e.value },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'word-seen',
    frame: numberAt(f.frame, j),
    offset: numberAt(f.offset, j),
    value: numberAt(f.value, j),
  }),
};

const programKnown: Row<ProgramKnown> = {
  get: {
    program: (e) => e.program,
    pointer: (e) => e.pointer,
    chunk: (e) => e.chunk,
    bytes: (e) => e.bytes,
    proglen: (e) => e.proglen,
    type: (e) => e.type,
    start: (e) => e.start,
    length: (e) => e.length,
    name: (e) => e.name,
    id: (e) => e.id,
    symbols: (e) => e.symbols,
    state: (e) => e.state,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'program-known',
    program: numberAt(f.program, j),
    pointer: wordAt(f.pointer, j),
    chunk: addressAt(f.chunk, j),
    bytes: numberAt(f.bytes, j),
    proglen: numberAt(f.proglen, j),
    type: textAt(f.type, j),
    start: addressAt(f.start, j),
    length: numberAt(f.length, j),
    name: textAt(f.name, j),
    id: numberAt(f.id, j),
    symbols: numberAt(f.symbols, j),
    state: textAt(f.state, j),
  }),
};

const stateKnown: Row<StateKnown> = {
  get: {
    lowestName: (e) => e.lowestName,
    charged: (e) => e.charged,
    chargedKnown: (e) => e.chargedKnown,
    limit: (e) => e.limit,
  },
  make: (seq, time, cpu, task, call, origin, f, j) => ({
    seq,
    time,
    cpu,
    task,
    call,
    origin,
    kind: 'state-known',
    lowestName: numberAt(f.lowestName, j),
    charged: numberAt(f.charged, j),
    chargedKnown: numberAt(f.chargedKnown, j),
    limit: numberAt(f.limit, j),
  }),
};

export const knownRows = {
  'pages-known': pagesKnown,
  'area-backed': areaBacked,
  'frames-named': framesNamed,
  'word-seen': wordSeen,
  'program-known': programKnown,
  'state-known': stateKnown,
};
