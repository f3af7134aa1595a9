/** Why a page is as it is: the chain of causes of its permission, its alias and its content, down to where knowledge ends. */
import { eventJson } from '../core/codec/json.js';
import type { Event } from '../core/event/event.js';
import { Origin, ORIGINS } from '../core/event/kind.js';
import { Space } from '../core/event/pages.js';
import { gapText } from '../core/event/trace.js';
import { BLOCK, CONTENT_CLASSES, ContentClass, PageContent } from '../core/memory/content.js';
import { Memory, NO_FRAME } from '../core/memory/memory.js';
import type { PageEntry } from '../core/memory/pageTable.js';
import { Address, pageText } from '../core/value/address.js';
import { inDirectMap } from './directMap.js';
import { Prot } from '../core/value/prot.js';
import { ok, type Result } from '../core/value/failure.js';
import { circumstancesOf, type Circumstances } from './calls.js';
import { beginAfter } from './closeUp.js';
import { lastChange, type HistoryItem } from './history.js';
import type { At, TraceView } from './log.js';
import { addressOf, type AnyAddress } from './memoryView.js';
import { sizeOf } from './ranges.js';
import type { Subject } from './subjects.js';
import { unknownRanges } from './unknown.js';

/** What caused something, as far as is known. */
export interface Cause {
  /** The event that did it; null where it is older than the trace. */
  readonly event: Event | null;
  /** Calls and markers around it; null without event. */
  readonly around: Circumstances | null;
  /** Where knowledge ends or is not observed: the starting dump, a gap, an assumption; null where it was observed or follows. */
  readonly ends: string | null;
}

export interface CausedPage {
  readonly prot: string;
  readonly page_size: number | null;
  readonly phys: string | null;
  readonly cause: Cause;
}

export interface CausedContent {
  /** What lies there, in words. */
  readonly is: string;
  readonly cause: Cause;
}

export interface Why {
  readonly trace: string;
  readonly seq: number;
  readonly address: string;
  /** Null: not mapped, as far as is known. */
  readonly page: CausedPage | null;
  /** The direct-map alias of its frame; null: nothing is known of one. */
  readonly alias: CausedPage | null;
  readonly content: CausedContent | null;
  /** Where the address lies in the direct map: the frame, and the virtual page that it backs. `page` is null then. */
  readonly direct_map: { readonly phys: string; readonly backs: string | null } | null;
  /** Where the page is not mapped: what unmapped it. */
  readonly gone: HistoryItem | null;
  /** Where nothing says how the page is mapped although something lies there: why not. */
  readonly unknown: string | null;
}

const GIVEN: Cause = {
  event: null,
  around: null,
  ends: 'it was so before the first event: given by the starting dump',
};

/** Where an event ends what is known. */
const endOf = (event: Event, direct: boolean): string | null => {
  if (event.kind === 'forgotten') return `nothing is known since event ${event.seq}: ${event.why}`;
  if (event.kind === 'gap') return gapText(event);
  if (event.origin === Origin.assumed) return 'this was assumed, not recorded';
  const isAliasEvent =
    ((event.kind === 'permission' || event.kind === 'split' || event.kind === 'collapsed') &&
      event.space === Space.direct) ||
    event.kind === 'direct-mapped' ||
    event.kind === 'leaf-known';
  return direct && !isAliasEvent
    ? 'nothing was recorded of this page of the direct map before: taken as the kernel maps all memory'
    : null;
};

const causeOf = (trace: TraceView, seq: number, direct: boolean): Result<Cause> => {
  if (seq === 0) return ok(GIVEN);
  const event = trace.event(seq);
  if (!event.ok) return event;
  const around = circumstancesOf(trace, event.value);
  return around.ok
    ? ok({ event: event.value, around: around.value, ends: endOf(event.value, direct) })
    : around;
};

const causedPage = (
  trace: TraceView,
  entry: PageEntry,
  frame: number,
  direct: boolean,
): Result<CausedPage> => {
  const cause = causeOf(trace, entry.cause, direct);
  if (!cause.ok) return cause;
  return ok({
    prot: Prot.toText(entry.prot),
    page_size: sizeOf(entry.shift),
    phys: frame < 0 ? null : pageText(frame),
    cause: cause.value,
  });
};

/** What lies in the block around an address. */
const contentText = (memory: Memory, content: PageContent, block: number): string => {
  const cls = PageContent.classAt(content, block);
  const ref = PageContent.refAt(content, block);
  const program = Memory.program(memory, ref);
  switch (cls) {
    case ContentClass.program:
      return program === null
        ? `leftover of a program that is gone (program:${ref})`
        : `image of ${program.name ?? `program:${ref}`}`;
    case ContentClass.leftover:
      return ref === 0 ? 'whatever lay in this memory before' : `leftover of program:${ref}`;
    case ContentClass.trap:
      return `trap fill (0x${ref.toString(16)})`;
    case ContentClass.zero:
      return 'zeroes';
    case ContentClass.bytes:
      return 'bytes known from a dump';
    case ContentClass.code:
      return 'code that is no program of the log';
    default:
      return CONTENT_CLASSES[cls] ?? 'unknown';
  }
};

const causedContent = (
  trace: TraceView,
  memory: Memory,
  entry: PageEntry | null,
  at: Address,
): Result<CausedContent | null> => {
  const content = entry === null ? null : Memory.contentOf(memory, entry.frame);
  if (content === null) return ok(null);
  const block = Math.floor(at.offset / BLOCK);
  const start = Address.of(at.page, block * BLOCK);
  const subject: Subject = { kind: 'address', address: at, start, bytes: BLOCK, from: 0, to: null };
  const last = lastChange(trace, subject, memory.seq, (item) => item.content.length > 0);
  if (!last.ok) return last;
  const is = contentText(memory, content, block);
  if (last.value === null) return ok({ is, cause: GIVEN });
  const { event, calls, marker, phase } = last.value;
  return ok({ is, cause: { event, around: { calls, marker, phase }, ends: endOf(event, false) } });
};

/** What unmapped a page last; null: it was not seen mapped. */
const lastUnmapping = (trace: TraceView, subject: Subject, to: number): Result<HistoryItem | null> =>
  lastChange(trace, subject, to, (item) => item.mappings.some((range) => range.to === null));

const pageSubject = (at: Address): Subject => ({
  kind: 'address',
  address: at,
  start: Address.of(at.page),
  bytes: BLOCK,
  from: 0,
  to: null,
});

/** Memory after event `seq`: around a page alone where it is mapped; else all of it, as only that says what is not known. */
const memoryAround = (trace: TraceView, at: Address, seq: number): Result<Memory> => {
  const close = beginAfter(trace, pageSubject(at), seq);
  if (!close.ok) return close;
  const memory = close.value.memory();
  return Memory.page(memory, at.page) === null ? trace.at(seq) : ok(memory);
};

/** Why the page at an address is as it is at a moment. */
export const why = (trace: TraceView, address: AnyAddress, moment: At = 'end'): Result<Why> => {
  const found = trace.find(moment);
  if (!found.ok) return found;
  const at = addressOf(address);
  const around = memoryAround(trace, at, found.value.seq);
  if (!around.ok) return around;
  const memory = around.value;
  const entry = Memory.page(memory, at.page);
  const page = entry === null ? ok(null) : causedPage(trace, entry, entry.frame, false);
  if (!page.ok) return page;
  const direct = entry === null ? inDirectMap(memory, at.page) : null;
  const frame = direct?.pfn ?? entry?.frame ?? NO_FRAME;
  const own = Memory.alias(memory, frame);
  const alias = own === null ? ok(null) : causedPage(trace, own, frame, true);
  if (!alias.ok) return alias;
  // Through the page that shows the same frame.
  const shown = direct === null ? at : Address.of(direct.backs ?? at.page, at.offset);
  const content = causedContent(trace, memory, Memory.page(memory, shown.page), shown);
  if (!content.ok) return content;
  const gone =
    entry === null && direct === null ? lastUnmapping(trace, pageSubject(at), memory.seq) : ok(null);
  if (!gone.ok) return gone;
  const here = pageText(at.page);
  const blank =
    entry === null && direct === null
      ? unknownRanges(memory).find(({ start, end }) => start <= here && here < end)
      : undefined;
  return ok({
    trace: trace.name,
    seq: memory.seq,
    address: Address.toText(at),
    page: page.value,
    alias: alias.value,
    content: content.value,
    direct_map:
      direct === null
        ? null
        : { phys: pageText(direct.pfn), backs: direct.backs === null ? null : pageText(direct.backs) },
    gone: blank === undefined ? gone.value : null,
    unknown: blank?.why ?? null,
  });
};

const causeJson = ({ event, around, ends }: Cause) => ({
  event: event === null ? null : eventJson(event),
  origin: event === null ? null : ORIGINS[event.origin],
  calls: around?.calls ?? [],
  marker: around?.marker?.text ?? null,
  phase: around?.phase?.text ?? null,
  ends,
});

/** The same for programs. */
export const whyJson = ({ page, alias, content, gone, ...rest }: Why) => ({
  ...rest,
  page: page === null ? null : { ...page, cause: causeJson(page.cause) },
  alias: alias === null ? null : { ...alias, cause: causeJson(alias.cause) },
  content: content === null ? null : { ...content, cause: causeJson(content.cause) },
  gone: gone === null ? null : eventJson(gone.event),
});
