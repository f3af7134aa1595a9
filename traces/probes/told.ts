/** What the recorder wrote into a recording about its probes, as markers. */

/** A function that was not probed, and why: `pagetrail: probe set_memory_rox: no such function …`. */
export interface NotProbed {
  readonly fn: string;
  readonly why: string;
}

/** Calls that a probe missed: `pagetrail: missed vfree 3`. */
export interface Missed {
  readonly event: string;
  readonly calls: number;
}

export const ABSENT = 'no such function in this kernel, or inlined into its callers';
export const REFUSED = 'the kernel refused the probe';

const PROBED = /^pagetrail: probed ((?:[A-Za-z_][\w.]* ?)+)$/;
const NOT_PROBED = /^pagetrail: probe ([A-Za-z_][\w.]*): (.+)$/;
const MISSED = /^pagetrail: missed ([A-Za-z_][\w.]*) (\d{1,15})$/;

/** Functions that are probed: `pagetrail: probed vfree bpf_jit_free`. Null: the marker says something else. */
export const probed = (marker: string): readonly string[] | null =>
  PROBED.exec(marker.trimEnd())?.[1]?.trimEnd().split(' ') ?? null;

/** Null: the marker says something else. */
export const notProbed = (marker: string): NotProbed | null => {
  const [, fn, why] = NOT_PROBED.exec(marker.trimEnd()) ?? [];
  return fn === undefined || why === undefined ? null : { fn, why };
};

/** Null: the marker says something else. */
export const missed = (marker: string): Missed | null => {
  const [, event, calls] = MISSED.exec(marker.trimEnd()) ?? [];
  return event === undefined ? null : { event, calls: Number(calls) };
};
