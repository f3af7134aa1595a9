/** Small emulations with a fault in the kernel, and what the audit says of them. */
import type { Arch } from '../../../core/arch/arch.js';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { auditor, type Audited, type Judged } from '../../../core/audit/audit.js';
import type { Finding, Pattern } from '../../../core/audit/finding.js';
import { RULES } from '../../../core/audit/rules.js';
import type { Subject } from '../../../core/audit/rule.js';
import { emulate } from '../../../core/driver/emulate/emulate.js';
import type { Failing, Intercept } from '../../../core/driver/emulate/failing.js';
import type { Event, Fact } from '../../../core/event/event.js';
import type { Profile } from '../../../core/profile/profile.js';
import { profileNamed } from '../../../core/profile/profiles.js';
import type { WorkloadOperation } from '../../../core/workload/workload.js';

/** A kernel, what it is asked to do, and what is wrong with it. */
export interface Scene {
  readonly kernel: string;
  /** At most twelve. */
  readonly operations: readonly WorkloadOperation[];
  readonly profile?: (profile: Profile) => Profile;
  readonly arch?: Arch;
  readonly flushesPredictors?: boolean;
  readonly fail?: Failing;
  readonly intercept?: Intercept;
  /** The log, changed after the fact. */
  readonly log?: (events: readonly Event[]) => readonly Event[];
}

export interface Heard {
  readonly audited: Audited;
  readonly events: readonly Event[];
  readonly judged: (rule: string) => Judged;
  readonly pattern: (rule: string, pattern: string) => Pattern | null;
  /** Events that a finding names as evidence. */
  readonly evidence: (finding: Finding) => readonly Event[];
}

export const profileOf = ({ kernel, profile }: Pick<Scene, 'kernel' | 'profile'>): Profile => {
  const known = profileNamed(kernel);
  if (known === null) throw new Error(`there is no kernel ${kernel}`);
  return profile === undefined ? known : profile(known);
};

/** Audits events as an emulation or a recording of a kernel. */
export const auditOf = (subject: Subject, given: readonly Event[], events: readonly Event[]): Heard => {
  const audit = auditor(subject, given, RULES);
  audit.feed(events);
  const audited = audit.finish();
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  const judged = (rule: string): Judged => {
    const found = audited.judged.find((one) => one.rule.id === rule);
    if (found === undefined) throw new Error(`there is no rule ${rule}`);
    return found;
  };
  return {
    audited,
    events,
    judged,
    pattern: (rule, pattern) => judged(rule).patterns.find((one) => one.pattern === pattern) ?? null,
    evidence: (finding) =>
      finding.evidence.flatMap(({ seq }) => {
        const event = bySeq.get(seq);
        return event === undefined ? [] : [event];
      }),
  };
};

export const hear = (scene: Scene): Heard => {
  if (scene.operations.length > 12) throw new Error('a scene has at most twelve operations');
  const profile = profileOf(scene);
  const arch = scene.arch ?? x86_64;
  const events: Event[] = [];
  const { given } = emulate({
    workload: { pagetrail_workload: 1, name: 'scene', operations: scene.operations },
    profile,
    arch,
    seed: 1,
    ...(scene.flushesPredictors === undefined ? {} : { flushesPredictors: scene.flushesPredictors }),
    ...(scene.fail === undefined ? {} : { fail: scene.fail }),
    ...(scene.intercept === undefined ? {} : { intercept: scene.intercept }),
    emit: (event) => events.push(event),
  });
  return auditOf({ profile, arch, kernel: null, source: 'emulation' }, given, scene.log?.(events) ?? events);
};

/** A program with a function of each length; it keeps the slot of its number. */
export const load = (slot: number, ...images: readonly number[]): WorkloadOperation => ({
  op: 'load',
  program: `p${slot}`,
  slot,
  type: 'socket_filter',
  insns: 100,
  capable: true,
  blinded: false,
  functions: (images.length === 0 ? [400] : images).map((image) => ({ image, tail_calls: [] })),
  during: [],
});
export const classic = (socket: number): WorkloadOperation => ({
  op: 'attach_classic',
  program: `f${socket}`,
  socket,
  insns: 20,
  capable: true,
  functions: [{ image: 100, tail_calls: [] }],
});
export const close = (slot: number): WorkloadOperation => ({ op: 'close', slot });
export const settle: WorkloadOperation = { op: 'settle' };

/** A call of a function fails: the nth, or each. */
export const failing =
  (fn: string, nth: number | null = null, errno = -12): Failing =>
  (name, count) =>
    name === fn && (nth === null || count === nth) ? errno : undefined;

export const either =
  (...all: readonly Failing[]): Failing =>
  (fn, nth, args) => {
    for (const one of all) {
      const errno = one(fn, nth, args);
      if (errno !== undefined) return errno;
    }
    return undefined;
  };

type FactOf<K extends Fact['kind']> = Extract<Fact, { readonly kind: K }>;

/** Changes the facts of one kind: where `change` gives nothing, they stay as they are. */
export const changing =
  <K extends Fact['kind']>(
    kind: K,
    change: (fact: FactOf<K>, context: Parameters<Intercept>[1]) => readonly Fact[] | undefined,
  ): Intercept =>
  (fact, context) =>
    fact.kind === kind ? (change(fact as FactOf<K>, context) ?? [fact]) : [fact];

/** Facts of one kind that are stated inside a function do not happen. */
export const without = (kind: Fact['kind'], inside?: string): Intercept =>
  changing(kind, (_fact, { calls }) => (inside === undefined || calls.includes(inside) ? [] : undefined));
