/**
 * The audit: one pass over a trace, all rules at once. Memory is folded in place; each rule sees the events of the kinds it names, before and after
 * they change memory, and the ends of calls.
 */
import { KINDS, type Event, type EventKind, type EventOf } from '../event/event.js';
import { Origin } from '../event/kind.js';
import { gapText } from '../event/trace.js';
import { folder } from '../memory/evolve.js';
import { nothing, type Memory } from '../memory/memory.js';
import { allocationTracker } from './allocations.js';
import { callTracker } from './calls.js';
import { coverageOf, type Coverage } from './coverage.js';
import { findingsOf, type Findings } from './findings.js';
import { notShown } from './needs.js';
import { listenersOf, type Listeners } from './listeners.js';
import { inventoryOf, type Inventory } from './inventory.js';
import { pairing } from './pairing.js';
import type { Finding, Pattern, Verdict } from './finding.js';
import { pictureOf, type Picture } from './picture.js';
import { programNames } from './programNames.js';
import type { Audit, Rule, Subject, Watch } from './rule.js';

/** Pages of which a rule cannot say anything, and why. */
export interface UnknownRange {
  readonly why: string;
  /** First virtual page; null: the whole trace. */
  readonly page: number | null;
  readonly pages: number;
}

/** What one rule says at the end. */
export interface Judged {
  readonly rule: Rule;
  /** Null: it does not apply; `why` says so. */
  readonly verdict: Verdict | null;
  /** Why it is unknown or does not apply; where it is broken: why there may be more than was found. */
  readonly why: readonly string[];
  /** Those of `why` that are the rule's own: the others are holes in the trace. */
  readonly reasons: readonly string[];
  /** How often it was looked at. */
  readonly checks: number;
  /** How often a recorded line showed what was looked at; the rest is the model's word. */
  readonly shown: number;
  readonly patterns: readonly Pattern[];
  readonly unknown: readonly UnknownRange[];
  /** Ranges that are unknown beyond those listed. */
  readonly unknownMore: number;
}

export interface Audited {
  /** Events that were fed. */
  readonly events: number;
  readonly lost: number;
  readonly divergences: number;
  readonly judged: readonly Judged[];
  readonly coverage: Coverage;
  /** What is executable at the end. */
  readonly inventory: Inventory;
  /** Permissions over time; null: how long the trace is was not said before. */
  readonly picture: Picture | null;
  /** The first symbol of a program, by its number; null: none was published. */
  readonly programName: (program: number) => string | null;
  /** Memory at the end. */
  readonly memory: Memory;
}

/** What may be said to an audit besides its rules. */
export interface AuditExtras {
  /** How many events there will be: then a picture of them is made. */
  readonly events?: number;
  /** Told of each finding at once, also of those that are only counted. */
  readonly found?: (finding: Finding) => void;
}

/** An audit under way. */
export interface Auditor {
  readonly feed: (events: readonly Event[]) => void;
  /** Kinds of events that must be fed: others may be left out. */
  readonly kinds: readonly EventKind[];
  readonly finish: () => Audited;
}

const MOST_UNKNOWN = 200;

class Unknowns {
  readonly ranges: UnknownRange[] = [];
  readonly reasons = new Set<string>();
  more = 0;

  add(why: string, page: number | null, pages: number): void {
    if (this.reasons.size < MOST_UNKNOWN) this.reasons.add(why);
    const last = this.ranges.at(-1);
    if (last !== undefined && last.why === why && last.page !== null && page === last.page + last.pages) {
      this.ranges[this.ranges.length - 1] = { ...last, pages: last.pages + pages };
      return;
    }
    if (this.ranges.some((r) => r.why === why && r.page === page && r.pages === pages)) return;
    if (this.ranges.length < MOST_UNKNOWN) this.ranges.push({ why, page, pages });
    else this.more++;
  }
}

type Mutable = Omit<Running, 'watch'> & { watch: Watch };

interface Running {
  readonly rule: Rule;
  readonly excluded: string | null;
  readonly watch: Watch;
  readonly findings: Findings;
  readonly unknown: Unknowns;
  checks: number;
  shown: number;
}

const ONLY_DERIVED = 'no recorded line shows it: only the model says that it holds';

const judge = (
  running: Running,
  subject: Subject,
  holes: readonly string[],
  seen: (fn: string) => boolean,
): Judged => {
  const { rule, excluded, findings, unknown, checks, shown } = running;
  const common = {
    rule,
    checks,
    shown,
    patterns: findings.patterns(),
    unknown: unknown.ranges,
    unknownMore: unknown.more,
  };
  if (excluded !== null) return { ...common, verdict: null, why: [excluded], reasons: [] };
  const reasons = [...unknown.reasons];
  const broken = common.patterns.length > 0;
  if (subject.source === 'recording') {
    reasons.push(...notShown(rule.needs?.(subject) ?? [], seen, subject.probed ?? null, subject.arch));
    if (!broken && checks > 0 && shown === 0) reasons.push(ONLY_DERIVED);
  }
  const why = [...holes, ...reasons];
  return { ...common, verdict: broken ? 'broken' : why.length > 0 ? 'unknown' : 'holds', why, reasons };
};

const tell = (handlers: readonly ((event: never) => void)[], event: Event): void => {
  for (const handler of handlers) handler(event as never);
};

/** A choice alone changes nothing: it is a fifth of an emulation's events, and mostly nobody asks for it. */
const wantedKinds = ({ each, ofKind }: Listeners): readonly EventKind[] => {
  const isWanted = each.length + ofKind('chosen').before.length + ofKind('chosen').after.length > 0;
  const kinds = KINDS.map(({ kind }) => kind as EventKind);
  return isWanted ? kinds : kinds.filter((kind) => kind !== 'chosen');
};

/** Begins an audit of a trace whose memory before the first event is given. */
export const auditor = (
  subject: Subject,
  given: readonly Event[],
  rules: readonly Rule[],
  extras: AuditExtras = {},
): Auditor => {
  const fold = folder(nothing);
  for (const event of given) fold.apply(event);
  const coverage = coverageOf();
  const tracker = callTracker(
    (fn) => ({ hits: coverage.of(fn), ...listeners.ofFunction(fn) }),
    (call, seq, by) => {
      if (by === 'left') pairs.left(call);
      if (call.permission === call) for (const listener of listeners.ended) listener(call, seq);
      if (call.parent === null) for (const listener of listeners.rootEnded) listener(call, seq);
    },
  );
  const pairs = pairing();
  const allocations = allocationTracker(fold.memory());
  let events = 0;
  let lost = 0;
  let divergences = 0;
  let last = 0;
  const holes: string[] = subject.missing ? [`lines are missing somewhere: ${subject.missing}`] : [];

  const running = rules.map((rule): Running => {
    const findings = findingsOf(rule.id);
    const unknown = new Unknowns();
    const audit: Audit = {
      subject,
      memory: fold.memory,
      calls: tracker,
      allocations,
      checked: (event, by) => {
        one.checks++;
        if (event === null || event.origin === Origin.observed) one.shown++;
        else if (event.call !== 0 && (by === undefined || by.test(tracker.of(event)?.fn ?? ''))) one.shown++;
      },
      report: (finding) => {
        findings.add(finding);
        extras.found?.({ rule: rule.id, ...finding });
      },
      unknown: (why, page, pages = 1) => unknown.add(why, page ?? null, pages),
    };
    const excluded = rule.applies(subject);
    const one: Mutable = { rule, excluded, watch: {}, findings, unknown, checks: 0, shown: 0 };
    if (excluded === null) one.watch = rule.watch(audit);
    return one;
  });

  const bystander: Audit = {
    subject,
    memory: fold.memory,
    calls: tracker,
    allocations,
    checked: () => undefined,
    report: () => undefined,
    unknown: () => undefined,
  };
  const inventory = inventoryOf(bystander);
  const names = programNames(fold.memory);
  const picture = extras.events === undefined ? null : pictureOf(bystander, extras.events);
  const watches = [
    ...running.map((one) => one.watch),
    coverage.watch,
    ...inventory.watches,
    names.watch,
    ...(picture === null ? [] : [picture.watch]),
  ];
  const listeners = listenersOf(watches);
  for (const watch of watches) watch.begin?.();

  const enter = (event: EventOf<'entered'>): void => {
    const use = tracker.enter(event);
    use.hits.entered++;
    tell(use.entered, event);
  };
  const leave = (event: EventOf<'returned'>): void => {
    const call = tracker.returning(event);
    const use = tracker.use(event.fn);
    use.hits.returned++;
    pairs.returned(event, call);
    for (const listener of use.returned) listener(event as never, call);
    tracker.leave(event);
  };

  return {
    kinds: wantedKinds(listeners),
    feed: (batch) => {
      for (const event of batch) {
        if (event.seq === 0) continue;
        events++;
        last = event.seq;
        if (event.kind === 'entered') {
          enter(event);
          continue;
        }
        if (event.kind === 'returned') {
          leave(event);
          continue;
        }
        tracker.fact(event);
        const use = listeners.ofKind(event.kind);
        tell(use.before, event);
        fold.apply(event);
        allocations.apply(event);
        tell(use.after, event);
        for (const listener of listeners.each) listener(event);
        if (event.kind === 'gap') {
          lost += event.lost;
          holes.push(gapText(event));
        } else if (event.kind === 'divergence') {
          divergences++;
          if (holes.length < MOST_UNKNOWN)
            holes.push(`model and recording disagree at event ${event.seq} (${event.id})`);
        }
      }
      // Call lines change nothing but the moment.
      const end = batch.at(-1);
      if (end !== undefined && (end.kind === 'entered' || end.kind === 'returned')) fold.apply(end);
    },
    finish: () => {
      tracker.end(last);
      if (subject.source === 'recording') holes.push(...pairs.holes());
      for (const { watch } of running) watch.end?.();
      const covered = coverage.take();
      const seen = new Set(covered.functions.map(({ fn }) => fn));
      return {
        events,
        lost,
        divergences,
        judged: running.map((one) => judge(one, subject, holes, (fn) => seen.has(fn))),
        coverage: covered,
        inventory: inventory.take(),
        picture: picture?.take() ?? null,
        programName: names.of,
        memory: fold.share(),
      };
    },
  };
};
