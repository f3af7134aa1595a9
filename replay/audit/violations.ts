/** Findings as a stream. */
import { Observable, type OperatorFunction } from 'rxjs';
import { auditor, type Auditor } from '../../core/audit/audit.js';
import type { Finding } from '../../core/audit/finding.js';
import type { Rule, Subject } from '../../core/audit/rule.js';
import { RULES } from '../../core/audit/rules.js';
import { factsOf } from '../../core/memory/facts.js';
import type { Played } from '../stream.js';

/** Nothing is known of the kernel: rules that need its profile or architecture do not apply. */
const UNKNOWN: Subject = { profile: null, arch: null, kernel: null, source: 'recording' };

/**
 * What breaks rules (all of pagetrail's unless some are given), as soon as it is known: a state that lasts is told when it ends, or at the end of the
 * stream. Memory before the first event is what the stream begins with.
 */
export const violations = (...rules: readonly Rule[]): OperatorFunction<Played, Finding> =>
  violationsIn(UNKNOWN, ...rules);

/** The same, of a kernel that is known: `auditSubject(trace.view)`. */
export const violationsIn =
  (subject: Subject, ...rules: readonly Rule[]): OperatorFunction<Played, Finding> =>
  (played) =>
    new Observable((subscriber) => {
      let audit: Auditor | null = null;
      return played.subscribe({
        next: ({ event, before }) => {
          if (event.seq === 0) return;
          audit ??= auditor(subject, factsOf(before.state), rules.length === 0 ? RULES : rules, {
            found: (finding) => subscriber.next(finding),
          });
          audit.feed([event]);
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          audit?.finish();
          subscriber.complete();
        },
      });
    });
