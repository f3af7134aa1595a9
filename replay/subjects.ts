/** What somebody asks about: an address, a program or a pack, as text. */
import type { EventOf } from '../core/event/event.js';
import { Address, pageText, PAGE_SIZE } from '../core/value/address.js';
import { BLOCK } from '../core/memory/content.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { TraceView } from './log.js';
import { symbolParts } from './programs.js';

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
  | (Extent & { readonly kind: 'pack' });

/** A program over its life, as its events tell it. */
export interface ProgramLife {
  readonly number: number;
  readonly chunk: Address;
  readonly bytes: number;
  readonly from: number;
  readonly to: number | null;
  readonly id: number | null;
  /** All symbols it had. */
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

const HINT =
  'write an address (0xffffffffc0000000), a program (its id, tag, name or symbol, or program:NUMBER) or pack:ADDRESS';

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

const FEW = 6;

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

const findPrograms = (programs: readonly ProgramLife[], text: string): readonly ProgramLife[] => {
  const number = /^program:(\d+)$/.exec(text);
  if (number !== null) return programs.filter((program) => program.number === Number(number[1]));
  const named = programs.filter((program) => isNamed(program, text));
  if (named.length > 0) return named;
  return /^\d{1,10}$/.test(text) ? programs.filter((program) => program.id === Number(text)) : [];
};

const findPack = (packs: readonly PackLife[], trace: string, text: string): Result<Subject> => {
  const nth = /^\d{1,6}$/.test(text) ? packs[Number(text) - 1] : undefined;
  const address = Address.parse(text);
  const pack =
    nth ??
    (address === null
      ? undefined
      : packs.findLast(
          ({ start, bytes }) => address.page >= start && address.page < start + bytes / PAGE_SIZE,
        ));
  if (pack !== undefined) return ok(packSubject(pack));
  const known = packs.slice(0, FEW).map(({ start }) => `pack:${pageText(start)}`);
  return fail(
    'no-such-pack',
    `trace ${trace} has no pack ${text}`,
    undefined,
    packs.length === 0
      ? 'it has no packs at all'
      : `it has ${known.join(', ')}${packs.length > FEW ? ', …' : ''}`,
  );
};

const WITH_PREFIX = /^0x[0-9a-f]{1,16}$/i;
const BARE = /^[0-9a-f]{9,16}$/i;

/**
 * What a text means in a trace. Failures: `no-such-subject`, `no-such-pack`, `ambiguous-subject`, damage of the log.
 */
export const subjectOf = (trace: TraceView, text: string): Result<Subject> => {
  const given = WITH_PREFIX.test(text) ? Address.parse(text) : null;
  if (given !== null) return ok(addressSubject(given));
  const lives = livesIn(trace);
  if (!lives.ok) return lives;
  const { programs, packs } = lives.value;
  if (text.startsWith('pack:')) return findPack(packs, trace.name, text.slice('pack:'.length));
  const found = findPrograms(programs, text);
  if (found.length === 1) return ok(programSubject(found[0] as ProgramLife));
  if (found.length > 1) {
    const more = found.length > FEW ? ` and ${found.length - FEW} more` : '';
    return fail(
      'ambiguous-subject',
      `${JSON.stringify(text)} fits ${found.length} programs of trace ${trace.name}: ${found.slice(0, FEW).map(programText).join(', ')}${more}`,
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
    default:
      return `pack, ${range}`;
  }
};

/** The same at a moment: a program or pack may come later, or be gone by then. */
export const subjectAt = (subject: Subject, seq: number): string => {
  const { from, to } = subject;
  const absent =
    from > seq ? `not before event ${from}` : to !== null && to <= seq ? `gone since event ${to}` : null;
  return absent === null ? subjectText(subject) : `${subjectText(subject)} (${absent})`;
};
