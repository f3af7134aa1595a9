import { fail, ok, type Result } from '../core/value/failure.js';
import { parseRoot, rootText } from './chain.js';
import { reading, row, type Connection } from './connection.js';
import { meansDamage } from './failures.js';
import { readGenesis } from './genesis.js';
import { readHead, type Head } from './head.js';
import { select } from './query.js';
import { segmentId } from './schema.js';
import { openRow, segmentRow, type SegmentRow } from './segments.js';
import { noSuchTrace } from './trace-info.js';
import type { TraceKey } from './trace-key.js';

/** What is wrong with the first bad segment. */
export type DamageReason =
  /** Name, meta or genesis differ from the hash the chain hangs on. */
  | 'genesis'
  /** Its page cannot be read. */
  | 'unreadable'
  /** Others follow, or the file says that it was there. */
  | 'missing'
  /** It does not begin after the one before. */
  | 'out-of-order'
  /** What it holds, or what it follows, is not what was hashed. */
  | 'hash'
  /** The chain is whole but the file says that the trace ends otherwise. */
  | 'head';

export interface Damage {
  /** Index of the segment; -1 for the genesis. */
  readonly index: number;
  /** Number of its first event; 0 for the genesis. */
  readonly first: number;
  readonly reason: DamageReason;
  readonly what: string;
}

export interface VerifyReport {
  readonly trace: string;
  /** The chain is whole, ends as the file says, and passes through the root kept elsewhere if one was given. */
  readonly intact: boolean;
  /** What is valid from the beginning on, and can be read: all of it when nothing is bad. */
  readonly segments: number;
  readonly events: number;
  /** Root of that; the trace's genesis root when it is empty. */
  readonly root: string;
  /** Where the file said that the trace ends when the walk began; null when that cannot be read. */
  readonly claimed: { readonly segments: number; readonly events: number; readonly root: string } | null;
  readonly firstBad: Damage | null;
  /** The root given: at which event the trace had it, null when it never did. */
  readonly kept: { readonly root: string; readonly events: number | null } | null;
}

export interface VerifyOptions {
  /** A root kept elsewhere, 64 hex digits. Damage shows without it, forgery only against it. */
  readonly root?: string;
  readonly progress?: (events: number, of: number) => void;
  /** Called with each valid hash of the chain, the genesis root first, and how many events it is the root of. */
  readonly chain?: (hash: Uint8Array, events: number) => void;
}

/** Walks the whole chain of a trace. Damage is what it reports, not a failure. */
export function verifyTrace(c: Connection, name: string, options: VerifyOptions): Result<VerifyReport> {
  const kept = options.root === undefined ? null : parseRoot(options.root);
  if (options.root !== undefined && kept === null) {
    return fail('bad-root', `a root has 64 hex digits, unlike ${JSON.stringify(options.root)}`);
  }
  return reading(c, () => {
    const found = row(c, TRACE, name);
    if (found === undefined) return noSuchTrace(c, name);
    const trace = { id: found.id, name };
    const read = reading(c, () => ok(readHead(c, trace.id) ?? null));
    if (!read.ok && !meansDamage(read.error.code)) return read;
    const head = read.ok ? read.value : null;
    const walked = walk(c, trace, found.root, head, kept, options);
    if (!walked.ok) return walked;
    const { valid, firstBad, keptAt } = walked.value;
    return ok({
      trace: name,
      intact: firstBad === null && (kept === null || keptAt !== null),
      segments: valid.segments,
      events: valid.events,
      root: rootText(valid.root),
      claimed: head && { segments: head.segments, events: head.events, root: rootText(head.root) },
      firstBad,
      kept: kept && { root: rootText(kept), events: keptAt },
    });
  });
}

const TRACE = select({ id: 'integer', root: 'hash' }, 'SELECT id, root FROM traces WHERE name = ?');

interface Valid {
  readonly segments: number;
  readonly events: number;
  readonly root: Uint8Array;
}

interface Walked {
  readonly valid: Valid;
  readonly firstBad: Damage | null;
  readonly keptAt: number | null;
}

function walk(
  c: Connection,
  trace: TraceKey,
  root: Buffer,
  head: Head | null,
  kept: Buffer | null,
  { progress, chain }: VerifyOptions,
): Result<Walked> {
  let valid: Valid = { segments: 0, events: 0, root };
  let keptAt = kept?.equals(root) === true ? 0 : null;
  const genesis = reading(c, () => readGenesis(c, trace));
  if (!genesis.ok) {
    if (!meansDamage(genesis.error.code)) return genesis;
    const firstBad: Damage = { index: -1, first: 0, reason: 'genesis', what: genesis.error.what };
    return ok({ valid, firstBad, keptAt: null });
  }
  chain?.(root, 0);
  for (;;) {
    const step = reading(c, () => check(c, trace, valid));
    if (!step.ok && !meansDamage(step.error.code)) return step;
    const next = step.ok ? step.value : bad(valid, 'unreadable', step.error.what);
    if (next === null || 'reason' in next) return ok({ valid, firstBad: next, keptAt });
    valid = next;
    if (kept?.equals(valid.root) === true) keptAt = valid.events;
    chain?.(valid.root, valid.events);
    progress?.(valid.events, Math.max(head?.events ?? 0, valid.events));
  }
}

/** The chain with its next segment added, or what is wrong with that; null at the end. */
function check(c: Connection, trace: TraceKey, valid: Valid): Result<Valid | Damage | null> {
  const found = segmentRow(c, trace.id, valid.segments) ?? lookAgain(c, trace, valid);
  if (found === null || 'reason' in found) return ok(found);
  if (found.first !== valid.events + 1) {
    return ok(bad(valid, 'out-of-order', `it begins with event ${found.first}, not ${valid.events + 1}`));
  }
  const opened = openRow(found, valid.root);
  if ('wrong' in opened) return ok(bad(valid, 'hash', opened.wrong));
  return ok({ segments: valid.segments + 1, events: valid.events + found.count, root: found.hash });
}

/** Where no next segment was: null when the trace ends here, else what is wrong, or the segment when it has just been appended. */
function lookAgain(c: Connection, trace: TraceKey, valid: Valid): SegmentRow | Damage | null {
  const later = row(c, LATER, segmentId(trace.id, valid.segments), segmentId(trace.id + 1, 0)) !== undefined;
  const head = reading(c, () => ok(readHead(c, trace.id) ?? null));
  const appended = segmentRow(c, trace.id, valid.segments);
  if (appended !== undefined) return appended;
  if (later) return bad(valid, 'missing', 'it is missing, others follow');
  if (!head.ok) return bad(valid, 'head', `where the trace ends cannot be read: ${head.error.what}`);
  return head.value === null
    ? bad(valid, 'head', 'where the trace ends has been lost')
    : endAt(head.value, valid);
}

function endAt(head: Head, valid: Valid): Damage | null {
  if (head.segments > valid.segments) {
    return bad(
      valid,
      'missing',
      `it is missing: the trace had ${head.segments} segments, ${head.events} events`,
    );
  }
  return head.segments === valid.segments && head.events === valid.events && head.root.equals(valid.root)
    ? null
    : bad(
        valid,
        'head',
        `the file says that the trace ends with event ${head.events}, root ${rootText(head.root)}`,
      );
}

const LATER = select({}, 'SELECT 1 FROM segments WHERE id > ? AND id < ? LIMIT 1');

const bad = (valid: Valid, reason: DamageReason, what: string): Damage => ({
  index: valid.segments,
  first: valid.events + 1,
  reason,
  what,
});
