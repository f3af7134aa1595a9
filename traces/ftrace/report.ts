/**
 * What `trace-cmd report` prints (libtraceevent; checked with trace-cmd 3.1.6 on the 6.1 capture's trace.dat) that ftrace does not:
 *
 *     cpus=2
 *     CPU:1 [4 EVENTS DROPPED]
 *             workload-85    [000]     7.342552: bpf_jit_charge_modmem: (ffffffff811f2c90) size=128
 *             workload-85    [000]     7.342574: bpf_jit_charge_modmem_ret: (ffffffff811f2c90 <- ffffffff811f6fcd) ret=0
 *             workload-85    [000]     7.344991: kernel_stack:         <stack trace >
 *     => bpf_prog_pack_alloc (ffffffff811f29b5)
 *             workload-85    [001]    11.960691: print:                tracing_mark_write: phase: end
 *
 * Events are padded to 20 columns, addresses raw, and a return has the function first, then the caller: the other way round than in
 * ftrace's own text. Flags are printed by newer versions only, nine digits of time with `-t`, ticks with `--raw-ts`. Of `-R` foreign.ts
 * says what is read. The forms of `-l` and `--ts-diff` are not read.
 */

/** The first lines of a report, with `--debug` and without. */
const FIRST_LINE = /^(?:cpus=\d+|version = \d+)\s*$/;
const HEADER = /^(?:cpus=\d+|version = \d+|CPU \d+ is empty)\s*$/;

/** A line by which a report can be told from ftrace's own text. */
export const startsReport = (text: string): boolean => FIRST_LINE.test(text);

/** `cpus=2`, `version = 7`, `CPU 3 is empty`. */
export const isReportHeader = (text: string): boolean => HEADER.test(text);

/** Events of markers and trace_printk by their names in the event's format. */
export const isReportMarker = (event: string): boolean => event === 'print' || event === 'bprint';

/** The text of a `print`: without the function that printed it when that is the one behind trace_marker (its address, without symbols). */
export const markerText = (body: string): string =>
  body.replace(/^(?:tracing_mark_write|(?:0x)?[0-9a-f]{8,16}):(?: |$)/, '');

/** Events whose body is `<stack trace>`, the frames following. */
export const reportStack = (event: string): boolean => event === 'kernel_stack' || event === 'user_stack';
