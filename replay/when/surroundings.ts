/** Finds what the names in an expression mean in a trace. */
import { auditor } from '../../core/audit/audit.js';
import { RULES } from '../../core/audit/rules.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import { auditSubject } from '../audit/audit.js';
import { notInDirectMap } from '../directMap.js';
import type { TraceView } from '../log.js';
import { subjectOf } from '../subjects.js';
import { pagesOf } from '../touches.js';
import { partsOf, type Expression } from './expression.js';
import type { NamedProgram, Surroundings } from './evaluate.js';

type Rules = Map<string, { readonly broken: number | null; readonly unknown: boolean }>;

const judge = (
  trace: TraceView,
  names: ReadonlySet<string>,
  to: number,
  progress: (seq: number) => void,
): Result<Rules> => {
  const judged: Rules = new Map();
  if (names.size === 0) return ok(judged);
  const given = trace.given();
  if (!given.ok) return given;
  const audit = auditor(
    auditSubject(trace),
    given.value,
    RULES.filter(({ id }) => names.has(id)),
  );
  for (const batch of trace.batches({ from: 0, to })) {
    if (!batch.ok) return batch;
    audit.feed(batch.value);
    progress(batch.value.at(-1)?.seq ?? 0);
  }
  for (const { rule, verdict, patterns, unknown, why } of audit.finish().judged) {
    const from = patterns.flatMap(({ findings }) => findings.map((finding) => finding.from));
    judged.set(rule.id, {
      broken: from.length === 0 ? null : Math.min(...from),
      unknown: verdict !== 'holds' && (verdict !== 'broken' || unknown.length > 0 || why.length > 0),
    });
  }
  return ok(judged);
};

/** Failures: `bad-expression` for a rule that is not there; of programs as `subjectOf` has them. */
export const surroundingsOf = (
  trace: TraceView,
  expression: Expression,
  to: number,
  progress: (seq: number) => void = () => {},
): Result<Surroundings> => {
  const programs = new Map<string, NamedProgram>();
  const names = new Set<string>();
  for (const part of partsOf(expression)) {
    if (part.kind === 'page' || part.kind === 'alias') {
      const direct = notInDirectMap(trace, part.at);
      if (!direct.ok) return direct;
    }
    if (part.kind === 'invariant') {
      if (!RULES.some(({ id }) => id === part.rule))
        return fail(
          'bad-expression',
          `there is no rule ${part.rule}`,
          `column ${part.from + 1}`,
          `there are ${RULES.map(({ id }) => id).join(', ')}`,
        );
      names.add(part.rule);
    }
    if (part.kind !== 'prog' || programs.has(part.what)) continue;
    const subject = subjectOf(trace, part.what);
    if (!subject.ok) return subject;
    if (subject.value.kind !== 'program')
      return fail(
        'bad-expression',
        `${JSON.stringify(part.what)} is no program`,
        `column ${part.from + 1}`,
        'name it by id, tag, name, symbol or program:NUMBER',
      );
    const { number, from, to: until } = subject.value;
    programs.set(part.what, { number, from, to: until, ...pagesOf(subject.value) });
  }
  const given = trace.given();
  if (!given.ok) return given;
  const complete =
    trace.info.meta['source'] === 'emulation' || given.value.some(({ kind }) => kind !== 'state-known');
  const rules = judge(trace, names, to, progress);
  return rules.ok ? ok({ complete, programs, rules: rules.value }) : rules;
};
