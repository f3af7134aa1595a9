/** A search that was stopped, in a file: gone on with, it comes to the same. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { digest } from '../../core/memory/stateHash.js';
import type { SearchInput, SearchState } from '../../core/driver/explore/search.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import { issueText } from '../issues.js';
import { parseJson } from '../json.js';

const HINT = 'this is to be a file that --resume wrote; name another one to begin anew';

const whole = v.pipe(v.number(), v.safeInteger());
const fault = v.strictObject({
  fn: v.string(),
  nth: v.nullable(v.pipe(whole, v.minValue(1))),
  from: v.pipe(whole, v.minValue(0)),
  errno: v.pipe(whole, v.minValue(-4095), v.maxValue(-1)),
});
const item = { variant: v.pipe(whole, v.minValue(0)), faults: v.array(fault) };

const Saved = v.strictObject({
  pagetrail_explore: v.literal(1),
  /** Of what is searched. */
  input: v.string(),
  state: v.strictObject({
    queue: v.array(v.strictObject(item)),
    seen: v.array(v.string()),
    candidates: v.array(v.strictObject({ ...item, rule: v.string(), pattern: v.string(), events: whole })),
    runs: whole,
    merged: whole,
  }),
});

/** Everything but the budget, which may be raised. */
const inputDigest = ({ workload, profile, arch, seed, faults, every, fixed }: SearchInput): string => {
  const out = digest();
  out.text(JSON.stringify({ workload, profile, arch: arch.name, seed, faults, every, fixed }));
  return out.take();
};

/** Where a search is to go on; null: there is no such file yet. */
export const readSearch = (file: string, input: SearchInput): Result<SearchState | null> => {
  if (!existsSync(file)) return ok(null);
  const json = parseJson(readFileSync(file, 'utf8'), file, HINT);
  if (!json.ok) return json;
  const saved = v.safeParse(Saved, json.value);
  if (!saved.success) return fail('bad-search', issueText(saved.issues), file, HINT);
  if (saved.output.input !== inputDigest(input))
    return fail(
      'other-search',
      'this search is of another workload, kernel, seed or bound',
      file,
      'give the same ones, or name another file to begin anew',
    );
  return ok(saved.output.state);
};

/** Writes it whole: a reader sees the old one or the new one. */
export const writeSearch = (file: string, input: SearchInput, state: SearchState): Result<null> => {
  const next = `${file}.new`;
  try {
    writeFileSync(next, JSON.stringify({ pagetrail_explore: 1, input: inputDigest(input), state }));
    renameSync(next, file);
    return ok(null);
  } catch (error) {
    return fail('unwritable', 'the search cannot be kept', file, (error as Error).message);
  }
};
