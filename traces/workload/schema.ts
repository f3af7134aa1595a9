import * as v from 'valibot';

import { fail, ok, type Result } from '../../core/value/failure.js';
import { issueText } from '../issues.js';
import { parseJson } from '../json.js';
import { firstIncoherence } from './coherence.js';
import type { Workload, WorkloadOperation } from './workload.js';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const hexAddress = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-f]{16}$/, 'expected 0x and 16 lower-case hex digits'),
);
const tag = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'expected 16 lower-case hex digits'));
const label = v.pipe(v.string(), v.minLength(1));

const outcome = v.strictObject({ errno: count });

const tailCall = v.strictObject({ key: count, jump: count, bypass: count });

const programFunction = v.strictObject({
  image: positive,
  code: v.exactOptional(positive),
  first_code: v.exactOptional(positive),
  offset: v.exactOptional(count),
  insns: v.exactOptional(positive),
  tag: v.exactOptional(tag),
  tail_calls: v.optional(v.array(tailCall), []),
  recorded: v.exactOptional(v.strictObject({ chunk: hexAddress })),
});

const mark = {
  mark: v.exactOptional(v.string()),
  cpu: v.exactOptional(v.pipe(count, v.maxValue(7, 'a workload has at most 8 CPUs'))),
};
const recorded = { recorded: v.exactOptional(outcome) };

const operation = v.variant('op', [
  v.strictObject({
    op: v.literal('load'),
    ...mark,
    program: label,
    name: v.exactOptional(v.string()),
    slot: v.optional(v.nullable(count), null),
    type: v.optional(v.string(), 'socket_filter'),
    insns: positive,
    id: v.exactOptional(count),
    tag: v.exactOptional(tag),
    capable: v.optional(v.boolean(), true),
    blinded: v.optional(v.boolean(), false),
    fails: v.exactOptional(v.literal('verifier')),
    functions: v.optional(v.array(programFunction), []),
    during: v.optional(v.array(v.strictObject({ after: positive, program: label, function: count })), []),
    ...recorded,
  }),
  v.strictObject({
    op: v.literal('attach_classic'),
    ...mark,
    program: label,
    socket: count,
    insns: positive,
    capable: v.optional(v.boolean(), true),
    functions: v.optional(v.pipe(v.array(programFunction), v.maxLength(1)), []),
    ...recorded,
  }),
  v.strictObject({ op: v.literal('detach_classic'), ...mark, socket: count, ...recorded }),
  v.strictObject({ op: v.literal('close'), ...mark, slot: count }),
  v.strictObject({ op: v.literal('free'), ...mark, program: label, function: v.exactOptional(count) }),
  v.strictObject({ op: v.literal('settle'), ...mark }),
  v.strictObject({ op: v.literal('marker'), text: v.string() }),
  v.strictObject({ op: v.literal('set_jit_limit'), ...mark, bytes: count, ...recorded }),
  v.strictObject({ op: v.literal('dirty'), ...mark, maps: count, deleted: count }),
  v.strictObject({ op: v.literal('attach_xdp'), ...mark, slot: count, ...recorded }),
  v.strictObject({ op: v.literal('detach_xdp'), ...mark }),
  v.strictObject({
    op: v.literal('tail_call_update'),
    ...mark,
    key: count,
    slot: v.nullable(count),
    ...recorded,
  }),
  v.strictObject({ op: v.literal('tail_call_clear'), ...mark }),
  v.strictObject({
    op: v.literal('trampoline'),
    ...mark,
    trampoline: count,
    bytes: v.pipe(count, v.maxValue(4096, 'a trampoline has at most 4096 bytes')),
  }),
]);

const boot = v.strictObject({
  jit_limit: v.exactOptional(count),
  jit_charged: v.optional(v.nullable(count), null),
  areas: v.optional(
    v.array(
      v.strictObject({
        start: hexAddress,
        end: hexAddress,
        caller: v.optional(v.string(), ''),
        pages: v.exactOptional(count),
      }),
    ),
    [],
  ),
  packs: v.optional(
    v.array(
      v.strictObject({
        start: hexAddress,
        bytes: positive,
        chunks: v.nullable(v.array(v.strictObject({ offset: count, bytes: positive }))),
      }),
    ),
    [],
  ),
});

const WorkloadSchema: v.GenericSchema<unknown, Workload> = v.strictObject({
  pagetrail_workload: v.literal(1),
  name: label,
  note: v.exactOptional(v.string()),
  origin: v.exactOptional(v.strictObject({ kernel: v.string(), arch: v.string() })),
  boot: v.exactOptional(boot),
  operations: v.array(operation),
});

const HINT = 'the format is described in docs/workload.md';

/** A value (of JSON, say) to a workload: shape first, then whether slots, programs and frees fit together. `continues`: it goes on from another one. */
export const checkWorkload = (value: unknown, where: string, continues = false): Result<Workload> => {
  const workload = v.safeParse(WorkloadSchema, value);
  if (!workload.success) return fail('bad-workload', issueText(workload.issues), where, HINT);
  const incoherence = continues ? null : firstIncoherence(workload.output);
  return incoherence === null ? ok(workload.output) : fail('bad-workload', incoherence, where, HINT);
};

/** Text of a workload file. */
export const parseWorkload = (text: string, file: string, continues = false): Result<Workload> => {
  const json = parseJson(text, file, HINT);
  return json.ok ? checkWorkload(json.value, file, continues) : json;
};

/** Values that are left out of the text, because reading puts them back. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['type', 'socket_filter'],
  ['capable', true],
  ['blinded', false],
  ['slot', null],
]);
const EMPTY: ReadonlySet<string> = new Set(['during', 'tail_calls', 'functions']);

/** One operation as it stands in the file, on one line. */
export const formatOperation = (op: WorkloadOperation): string =>
  JSON.stringify(op, (key: string, value: unknown) => {
    if (EMPTY.has(key) && Array.isArray(value) && value.length === 0) return undefined;
    const isDefault = DEFAULTS.has(key) && DEFAULTS.get(key) === value;
    return isDefault && !(key === 'slot' && op.op !== 'load') ? undefined : value;
  });

/** A workload as text, one operation a line; `parseWorkload` gives the same workload back. */
export const formatWorkload = (workload: Workload): string => {
  const { operations, ...head } = workload;
  const opening = JSON.stringify(head, null, 2).replace(/\n\}$/, '');
  const lines = operations.map((op) => `    ${formatOperation(op)}`);
  return `${opening},\n  "operations": [\n${lines.join(',\n')}\n  ]\n}\n`;
};
