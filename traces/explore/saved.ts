/** A search that was stopped, in a file: gone on with, it comes to the same. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { digest } from '../../core/memory/stateHash.js';
import type { InterleaveInput, InterleaveState } from '../../core/driver/explore/interleave.js';
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

const schedule = v.array(
  v.strictObject({ cpu: v.pipe(whole, v.minValue(0), v.maxValue(7)), steps: v.pipe(whole, v.minValue(1)) }),
);
const turn = { schedule, preemptions: v.pipe(whole, v.minValue(0)) };

const SavedInterleaving = v.strictObject({
  pagetrail_explore: v.literal(2),
  input: v.string(),
  state: v.strictObject({
    waiting: v.array(v.strictObject(turn)),
    seen: v.array(v.string()),
    accesses: v.array(v.tuple([v.string(), whole, v.string()])),
    broken: v.array(v.strictObject({ ...turn, key: v.string() })),
    known: whole,
    runs: whole,
    merged: whole,
    steps: whole,
  }),
});

/** Everything but the budget, which may be raised. */
const interleaveDigest = ({ workload, profile, arch, seed, without }: InterleaveInput): string => {
  const out = digest();
  out.text(JSON.stringify({ workload, profile, arch: arch.name, seed, without }));
  return out.take();
};

const inputDigest = ({ workload, profile, arch, seed, faults, every, fixed }: SearchInput): string => {
  const out = digest();
  out.text(JSON.stringify({ workload, profile, arch: arch.name, seed, faults, every, fixed }));
  return out.take();
};

const OTHER = fail(
  'other-search',
  'this search is of another workload, kernel, seed or bound',
  undefined,
  'give the same ones, or name another file to begin anew',
);

const readText = (file: string): Result<string> => {
  try {
    return ok(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail('unreadable', 'the search that is kept cannot be read', file, (error as Error).message);
  }
};

/** What a file says; null: there is no such file yet. */
const stateIn = <T>(
  file: string,
  schema: v.GenericSchema<unknown, { readonly input: string; readonly state: T }>,
  input: string,
): Result<T | null> => {
  if (!existsSync(file)) return ok(null);
  const text = readText(file);
  if (!text.ok) return text;
  const json = parseJson(text.value, file, HINT);
  if (!json.ok) return json;
  const saved = v.safeParse(schema, json.value);
  if (!saved.success) return fail('bad-search', issueText(saved.issues), file, HINT);
  return saved.output.input === input ? ok(saved.output.state) : OTHER;
};

/** Writes it whole: a reader sees the old one or the new one. */
const write = (file: string, content: object): Result<null> => {
  const next = `${file}.new`;
  try {
    writeFileSync(next, JSON.stringify(content));
    renameSync(next, file);
    return ok(null);
  } catch (error) {
    return fail('unwritable', 'the search cannot be kept', file, (error as Error).message);
  }
};

/** Where a search is to go on; null: there is no such file yet. */
export const readSearch = (file: string, input: SearchInput): Result<SearchState | null> =>
  stateIn(file, Saved, inputDigest(input));

export const writeSearch = (file: string, input: SearchInput, state: SearchState): Result<null> =>
  write(file, { pagetrail_explore: 1, input: inputDigest(input), state });

export const readInterleaving = (file: string, input: InterleaveInput): Result<InterleaveState | null> =>
  stateIn(file, SavedInterleaving, interleaveDigest(input));

export const writeInterleaving = (
  file: string,
  input: InterleaveInput,
  state: InterleaveState,
): Result<null> => write(file, { pagetrail_explore: 2, input: interleaveDigest(input), state });
