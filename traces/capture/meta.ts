/**
 * `meta.json` of a capture folder: what ran where, the probes with their arguments, and the operations of the workload
 * with what the kernel reported for each. Producer: the lab's recorder. Field names are the file's.
 */
import * as v from 'valibot';

import { fail, ok, type Result } from '../../core/value/failure.js';
import { issueText } from '../issues.js';
import { parseJson } from '../json.js';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const int = v.pipe(v.number(), v.safeInteger());

const ProbeArgSchema = v.object({
  name: v.string(),
  /** What the probe fetched: `$arg1`, `+12($arg1)`, `$retval`. */
  fetch: v.string(),
  /** kprobe's type: `x64`, `u32`, `s32`, `string`… */
  type: v.string(),
  meaning: v.string(),
});

const ProbeSchema = v.object({
  event: v.string(),
  symbol: v.string(),
  meaning: v.optional(v.string()),
  args: v.array(ProbeArgSchema),
  /** Arguments of the return event; empty for a void function (which does have one) and where there is no return probe. */
  ret: v.array(ProbeArgSchema),
  filter: v.optional(v.string()),
  tracer: v.optional(v.string()),
});

const MachineSchema = v.object({ cpu: v.string(), smp: count, ram_mb: count, page_size: count });

const functionSchema = v.object({
  /** `0x…`: bpf_func as bpf_prog_get_info gave it. */
  addr: v.string(),
  len: count,
  /** CRC-32 of the code, 8 hex digits; head and tail are its first and last 16 bytes. */
  crc32: v.string(),
  head: v.string(),
  tail: v.string(),
});

const at = { t_ns: count };
const op = { op: count, ...at };

const PhaseSchema = v.object({ phase: count, ...at, name: v.string() });

const OPERATIONS = {
  load: v.object({
    ...op,
    what: v.literal('load'),
    /** -1: the program is not kept. */
    slot: int,
    type: v.string(),
    insns: count,
    /** Functions besides the main one. */
    subprogs: count,
    name: v.string(),
    /** Absent in the first recordings, where every load was privileged. */
    privileged: v.optional(v.boolean()),
    fd: int,
    /** 0, or the errno of bpf(2). */
    errno: count,
    id: v.optional(count),
    tag: v.optional(v.string()),
    xlated_len: v.optional(count),
    jited_len: v.optional(count),
    funcs: v.optional(v.array(functionSchema)),
  }),
  close: v.object({ ...op, what: v.literal('close'), slot: int, fd: int }),
  attach_classic: v.object({
    ...op,
    what: v.literal('attach_classic'),
    sock: count,
    insns: count,
    errno: count,
  }),
  detach_classic: v.object({ ...op, what: v.literal('detach_classic'), sock: count, errno: count }),
  prog_array_update: v.object({ ...op, what: v.literal('prog_array_update'), slot: int, errno: count }),
  prog_array_delete: v.object({ ...op, what: v.literal('prog_array_delete'), slot: int, errno: count }),
  xdp_attach: v.object({ ...op, what: v.literal('xdp_attach'), slot: int, errno: count }),
  xdp_detach: v.object({ ...op, what: v.literal('xdp_detach') }),
  dirty: v.object({ ...op, what: v.literal('dirty'), maps: count, deleted: count }),
  set_bpf_jit_limit: v.object({ ...op, what: v.literal('set_bpf_jit_limit'), value: count, errno: count }),
} as const;

const MetaSchema = v.object({
  arch: v.string(),
  release: v.string(),
  version: v.string(),
  cmdline: v.string(),
  scenario: v.string(),
  machine: MachineSchema,
  complete: v.boolean(),
  probes: v.array(ProbeSchema),
  /** Functions that could not be probed because this kernel does not have them under that name. */
  absent: v.optional(v.array(v.string()), []),
  /** Probes that the kernel refused, as they were asked for. */
  probes_failed: v.optional(v.array(v.string()), []),
  /** Lines of kprobe_profile (event, hits, misses) of probes that missed calls. */
  kprobe_profile_missed: v.optional(v.array(v.string()), []),
  operations: v.array(v.record(v.string(), v.unknown())),
});

type Operations = typeof OPERATIONS;
export type CaptureOperation = { [K in keyof Operations]: v.InferOutput<Operations[K]> }[keyof Operations];
export type CapturePhaseMark = v.InferOutput<typeof PhaseSchema>;
export type CaptureProbe = v.InferOutput<typeof ProbeSchema>;

export interface CaptureMeta extends Readonly<Omit<v.InferOutput<typeof MetaSchema>, 'operations'>> {
  /** Phases and operations in the order they happened. */
  readonly operations: readonly (CapturePhaseMark | CaptureOperation)[];
  /** Operations of a kind this version does not know, as `operations[12] NAME`; they are left out above. */
  readonly unknownOperations: readonly string[];
}

export const isPhaseMark = (entry: CapturePhaseMark | CaptureOperation): entry is CapturePhaseMark =>
  'phase' in entry;

const HINT = 'the folder should come from the recorder; see docs/captures.md';

/** Text of a meta.json, checked. */
export const parseMeta = (text: string, file: string): Result<CaptureMeta> => {
  const json = parseJson(text, file, HINT);
  if (!json.ok) return json;
  const meta = v.safeParse(MetaSchema, json.value);
  if (!meta.success) return fail('bad-meta', issueText(meta.issues), file, HINT);
  const operations: (CapturePhaseMark | CaptureOperation)[] = [];
  const unknownOperations: string[] = [];
  for (const [i, raw] of meta.output.operations.entries()) {
    const what = raw['what'];
    if (what === undefined || (typeof what === 'string' && Object.hasOwn(OPERATIONS, what))) {
      const schema = what === undefined ? PhaseSchema : OPERATIONS[what as keyof Operations];
      const entry = v.safeParse(schema, raw);
      if (!entry.success) return fail('bad-meta', issueText(entry.issues, ['operations', i]), file, HINT);
      operations.push(entry.output);
    } else
      unknownOperations.push(`operations[${i}] ${typeof what === 'string' ? what : JSON.stringify(what)}`);
  }
  return ok({ ...meta.output, operations, unknownOperations });
};
