import * as v from 'valibot';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Baseline } from '../../replay/audit/baseline.js';
import { issueText } from '../../traces/issues.js';
import { parseJson } from '../../traces/json.js';
import { smallText } from '../log/smallFile.js';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const AcceptedSchema = v.strictObject({
  rule: v.string(),
  pattern: v.string(),
  fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'a fingerprint has 32 hex digits')),
  count,
  why: v.string(),
  calls: v.optional(v.array(v.string()), []),
  programs: v.optional(v.array(v.string()), []),
});

const UnknownSchema = v.strictObject({ rule: v.string(), because: v.string(), why: v.string() });

const BaselineSchema = v.strictObject({
  pagetrail_baseline: v.literal(1),
  findings: v.array(AcceptedSchema),
  unknown: v.optional(v.array(UnknownSchema), []),
});

const HINT = '`pagetrail audit TRACE --write-baseline FILE` writes one; docs/audit.md says what it holds';

/** A baseline file, checked. */
export const readBaseline = (path: string): Result<Baseline> => {
  const text = smallText(path);
  if (!text.ok) return text;
  const json = parseJson(text.value, path, HINT);
  if (!json.ok) return json;
  const checked = v.safeParse(BaselineSchema, json.value);
  return checked.success ? ok(checked.output) : fail('bad-baseline', issueText(checked.issues), path, HINT);
};

export const baselineText = (baseline: Baseline): string => `${JSON.stringify(baseline, null, 2)}\n`;
