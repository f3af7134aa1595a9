/** What somebody asks about: an address, a program or a pack, as text. */
import type { EventOf } from '../core/event/event.js';
import { Address, pageText, PAGE_SIZE } from '../core/value/address.js';
import { BLOCK } from '../core/memory/content.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { TraceView } from './log.js';
import { symbolParts } from './programs.js';
import type { TraceIndex } from './traceIndex.js';

/** Virtual memory with a life: from one event to another. */
interface Extent {
  /** First byte. */
  readonly start: Address;
  readonly bytes: number;
  /** Event it begins with; 0: older than the log, or always there. */
  readonly from: number;
  /** Event it ends with; null: not ended. */
  readonly to: number | null;
}

export type Subject =
  | (Extent & { readonly kind: 'address'; readonly address: Address })
  | (Extent & { readonly kind: 'program'; readonly number: number; readonly name: string | null })
  | (Extent & { readonly kind: 'pack' })
  | (Extent & { readonly kind: 'range' });

/** A program over its life, as its events tell it. */
export interface ProgramLife {
  readonly number: number;
  readonly chunk: Address;
  readonly bytes: number;
  readonly from: number;
  readonly to: number | null;
  readonly id: number | null;
  /** All symbols it had; from the index the last one only. */
  readonly symbols: readonly string[];
}

export interface PackLife {
  readonly start: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const LIVES = ['program-allocated', 'published', 'program-freed', 'pack-created', 'pack-removed'] as const;

/** Every program and pack that a trace knows, in the order in which they came. */
export const livesIn = (
  trace: TraceView,
): Result<{ readonly programs: readonly ProgramLife[]; readonly packs: readonly PackLife[] }> => {
  const programs = new Map<number, Mutable<ProgramLife>>();
  const packs: Mutable<PackLife>[] = [];
  const published = (event: EventOf<'published'>): void => {
    const program = programs.get(event.program);
    if (program === undefined) return;
    program.symbols = [...program.symbols, event.name];
    if (event.id !== 0) program.id = event.id;
  };
  for (const batch of trace.batches({ kinds: LIVES })) {
    if (!batch.ok) return batch;
    for (const event of batch.value)
      switch (event.kind) {
        case 'program-allocated':
          programs.set(event.program, {
            number: event.program,
            chunk: event.chunk,
            bytes: event.bytes,
            from: event.seq,
            to: null,
            id: null,
            symbols: [],
          });
          break;
        case 'published':
          published(event);
          break;
        case 'program-freed': {
          const program = programs.get(event.program);
          if (program !== undefined) program.to = event.seq;
          break;
        }
        case 'pack-created':
          packs.push({ start: event.start, bytes: event.bytes, from: event.seq, to: null });
          break;
        case 'pack-removed': {
          const pack = packs.findLast(({ start, to }) => start === event.start && to === null);
          if (pack !== undefined) pack.to = event.seq;
          break;
        }
        default:
          break;
      }
  }
  return ok({ programs: [...programs.values()], packs });
};

const FEW = 6;

const HINT =
  'write an address (0xffffffffc0000000), a range (0xSTART-0xEND), a program (its id, tag, name or symbol, or program:NUMBER) or pack:ADDRESS';

const addressSubject = (address: Address): Subject => ({
  kind: 'address',
  address,
  start: Address.of(address.page),
  bytes: PAGE_SIZE,
  from: 0,
  to: null,
});

const programSubject = ({ number, chunk, bytes, from, to, symbols }: ProgramLife): Subject => ({
  kind: 'program',
  number,
  name: symbols.at(-1) ?? null,
  start: chunk,
  bytes,
  from,
  to,
});

const packSubject = ({ start, bytes, from, to }: PackLife): Subject => ({
  kind: 'pack',
  start: Address.of(start),
  bytes,
  from,
  to,
});

/** How a program is told from others. */
export const programText = ({ number, id, symbols, from }: ProgramLife): string =>
  `program:${number} (${[
    symbols.at(-1) ?? 'no symbol',
    ...(id === null ? [] : [`id ${id}`]),
    from === 0 ? 'older than the log' : `from event ${from}`,
  ].join(', ')})`;

const isNamed = (program: ProgramLife, text: string): boolean =>
  program.symbols.some((symbol) => {
    const { tag, name } = symbolParts(symbol);
    return symbol === text || tag === text || name === text;
  });

/** Who to ask for programs and packs. */
interface Lives {
  number(number: number): Result<Found<ProgramLife>>;
  named(text: string): Result<Found<ProgramLife>>;
  withId(id: number): Result<Found<ProgramLife>>;
  pack(nth: number): Result<PackLife | null>;
  packAt(page: number): Result<PackLife | null>;
  packs(): Result<Found<PackLife>>;
}

/** The first of those that were found, and how many there are. */
interface Found<T> {
  readonly list: readonly T[];
  readonly count: number;
}

const foundOf = <T>(list: readonly T[]): Found<T> => ({ list, count: list.length });

const indexed = (index: TraceIndex): Lives => ({
  number: (number) => {
    const program = index.program(number);
    return program.ok ? ok(foundOf(program.value === null ? [] : [program.value])) : program;
  },
  named: (text) => index.programsNamed(text, FEW),
  withId: (id) => {
    const programs = index.programsWithId(id);
    return programs.ok ? ok(foundOf(programs.value)) : programs;
  },
  pack: (nth) => index.pack(nth),
  packAt: (page) => index.packAt(page),
  packs: () => index.packs(FEW),
});

const replayed = (trace: TraceView): Result<Lives> => {
  const lives = livesIn(trace);
  if (!lives.ok) return lives;
  const { programs, packs } = lives.value;
  return ok({
    number: (number) => ok(foundOf(programs.filter((program) => program.number === number))),
    named: (text) => ok(foundOf(programs.filter((program) => isNamed(program, text)))),
    withId: (id) => ok(foundOf(programs.filter((program) => program.id === id))),
    pack: (nth) => ok(packs[nth - 1] ?? null),
    packAt: (page) =>
      ok(packs.findLast(({ start, bytes }) => page >= start && page < start + bytes / PAGE_SIZE) ?? null),
    packs: () => ok(foundOf(packs)),
  });
};

const findPrograms = (lives: Lives, text: string): Result<Found<ProgramLife>> => {
  const number = /^program:(\d{1,15})$/.exec(text);
  if (number !== null) return lives.number(Number(number[1]));
  const named = lives.named(text);
  if (!named.ok || named.value.count > 0) return named;
  return /^\d{1,10}$/.test(text) ? lives.withId(Number(text)) : named;
};

const findPack = (lives: Lives, trace: string, text: string): Result<Subject> => {
  const nth = /^\d{1,6}$/.test(text) ? lives.pack(Number(text)) : ok(null);
  if (!nth.ok) return nth;
  const address = Address.parse(text);
  const pack = nth.value === null && address !== null ? lives.packAt(address.page) : nth;
  if (!pack.ok) return pack;
  if (pack.value !== null) return ok(packSubject(pack.value));
  const packs = lives.packs();
  if (!packs.ok) return packs;
  const { list, count } = packs.value;
  const known = list.slice(0, FEW).map(({ start }) => `pack:${pageText(start)}`);
  return fail(
    'no-such-pack',
    `trace ${trace} has no pack ${text}`,
    undefined,
    count === 0 ? 'it has no packs at all' : `it has ${known.join(', ')}${count > FEW ? ', …' : ''}`,
  );
};

const RANGE = /^0x([0-9a-f]{1,16})(?:-0x([0-9a-f]{1,16})|\+(\d{1,15}|0x[0-9a-f]{1,12}))$/i;
/** Pages of a range: each of them is looked at. */
const MOST_PAGES = 2 ** 16;

const rangeSubject = (text: string): Result<Subject> | null => {
  const parts = RANGE.exec(text);
  if (parts === null) return null;
  const [, from = '', to, size] = parts;
  const first = BigInt(`0x${from}`);
  const end = to === undefined ? first + BigInt(size ?? 0) : BigInt(`0x${to}`);
  if (end <= first || end > 1n << 64n)
    return fail('bad-range', `${text} holds no byte`, undefined, 'write 0xSTART-0xEND or 0xSTART+BYTES');
  const start = Address.fromBigInt(first);
  const pages = (end - 1n) / BigInt(PAGE_SIZE) - first / BigInt(PAGE_SIZE) + 1n;
  if (pages > MOST_PAGES)
    return fail('bad-range', `${text} has ${pages} pages`, undefined, `ask for at most ${MOST_PAGES}`);
  return ok({ kind: 'range', start, bytes: Number(end - first), from: 0, to: null });
};

const WITH_PREFIX = /^0x[0-9a-f]{1,16}$/i;
const BARE = /^[0-9a-f]{9,16}$/i;

/**
 * What a text means in a trace. Failures: `no-such-subject`, `no-such-pack`, `ambiguous-subject`, damage of the log.
 */
export const subjectOf = (trace: TraceView, text: string): Result<Subject> => {
  const given = WITH_PREFIX.test(text) ? Address.parse(text) : null;
  if (given !== null) return ok(addressSubject(given));
  const range = rangeSubject(text);
  if (range !== null) return range;
  const index = trace.index();
  if (!index.ok) return index;
  const lives = index.value === null ? replayed(trace) : ok(indexed(index.value));
  if (!lives.ok) return lives;
  if (text.startsWith('pack:')) return findPack(lives.value, trace.name, text.slice('pack:'.length));
  const programs = findPrograms(lives.value, text);
  if (!programs.ok) return programs;
  const { list: found, count } = programs.value;
  if (count === 1) return ok(programSubject(found[0] as ProgramLife));
  if (count > 1) {
    const more = count > FEW ? ` and ${count - FEW} more` : '';
    return fail(
      'ambiguous-subject',
      `${JSON.stringify(text)} fits ${count} programs of trace ${trace.name}: ${found.slice(0, FEW).map(programText).join(', ')}${more}`,
      undefined,
      'name one of them as program:NUMBER',
    );
  }
  const bare = BARE.test(text) ? Address.parse(text) : null;
  if (bare !== null) return ok(addressSubject(bare));
  return fail(
    'no-such-subject',
    `trace ${trace.name} has no program ${JSON.stringify(text)}`,
    undefined,
    HINT,
  );
};

/** The bytes whose content and programs are asked for: of an address inside a page its block, else all of the subject. */
export const bytesOf = (subject: Subject): { readonly start: Address; readonly bytes: number } => {
  if (subject.kind !== 'address' || subject.address.offset === 0) return subject;
  const { page, offset } = subject.address;
  return { start: Address.of(page, offset - (offset % BLOCK)), bytes: BLOCK };
};

/** A subject as its heading says it. */
export const subjectText = (subject: Subject): string => {
  const range = `${Address.toText(subject.start)} to ${Address.toText(Address.add(subject.start, subject.bytes))}`;
  switch (subject.kind) {
    case 'address':
      return subject.address.offset === 0
        ? `page of ${Address.toText(subject.address)}`
        : `${Address.toText(subject.address)} and its page`;
    case 'program':
      return `program ${subject.name ?? subject.number}, ${range}`;
    case 'pack':
      return `pack, ${range}`;
    default:
      return range;
  }
};

/** The same at a moment: a program or pack may come later, or be gone by then. */
export const subjectAt = (subject: Subject, seq: number): string => {
  const { from, to } = subject;
  const absent =
    from > seq ? `not before event ${from}` : to !== null && to <= seq ? `gone since event ${to}` : null;
  return absent === null ? subjectText(subject) : `${subjectText(subject)} (${absent})`;
};
