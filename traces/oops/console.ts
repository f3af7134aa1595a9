/**
 * Lines of a console log without what stands before the kernel's text: a serial console, dmesg, the journal, syslog, netconsole, a quoting mail.
 *
 *     [  123.456789] BUG: …            [  123.456789][  T650] BUG: …        <1>[  123.456789] BUG: …
 *     Sep 21 17:06:49 host kernel: [  123.456789] BUG: …                     6,1234,123456789,-,caller=T650;BUG: …
 */

export interface ConsoleLine {
  /** From 1. */
  readonly line: number;
  /** As it stands in the log. */
  readonly raw: string;
  /** Without prefixes. */
  readonly text: string;
  /** Console time in nanoseconds. */
  readonly time: bigint | null;
  /** Who printed it, where the console says so: `T650` (a task), `C0` (a CPU). */
  readonly caller: string | null;
}

const ESCAPE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');
const QUOTE = /^(?:>\s?)+/;
const EXTENDED = /^\d{1,3},\d+,(\d+),([^;]*);(.*)$/;
const EXTENDED_CALLER = /\bcaller=([TC]\d+)/;
const SYSLOG =
  /^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\S+)\s(?:\S+\s)??kernel(?:\[\d+\])?:\s?(.*)$/;
const LEVEL = /^<\d{1,3}>/;
const TIME = /^\[\s*(\d{1,12})\.(\d{1,9})\]/;
const WALL_CLOCK = /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\]/;
const CALLER = /^\s?\[\s*([TC]\d+)\]/;
const NS_DIGITS = 9;

const nanoseconds = (seconds: string, fraction: string): bigint =>
  BigInt(seconds + fraction.padEnd(NS_DIGITS, '0').slice(0, NS_DIGITS));

/** One line. Lines without prefix are taken as they are. */
export const consoleLine = (given: string, line: number): ConsoleLine => {
  const raw = given.endsWith('\r') ? given.slice(0, -1) : given;
  let text = raw.replace(ESCAPE, '').replace(QUOTE, '');
  let time: bigint | null = null;
  let caller: string | null = null;
  const extended = EXTENDED.exec(text);
  if (extended !== null) {
    const [, micros = '0', fields = '', rest = ''] = extended;
    const by = EXTENDED_CALLER.exec(fields)?.[1];
    return { line, raw, text: rest, time: BigInt(micros) * 1000n, caller: by ?? null };
  }
  text = SYSLOG.exec(text)?.[1] ?? text;
  text = text.replace(LEVEL, '');
  const stamp = TIME.exec(text);
  if (stamp !== null) {
    time = nanoseconds(stamp[1] as string, stamp[2] as string);
    text = text.slice(stamp[0].length);
  } else text = text.replace(WALL_CLOCK, '');
  const by = CALLER.exec(text);
  if (by !== null) {
    caller = by[1] as string;
    text = text.slice(by[0].length);
  }
  const stripped = stamp !== null || by !== null || text !== raw;
  // The one space after a prefix belongs to it; more is the kernel's own.
  return { line, raw, text: stripped && text.startsWith(' ') ? text.slice(1) : text, time, caller };
};

export const consoleLines = (text: string): readonly ConsoleLine[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((raw, index) => consoleLine(raw, index + 1));
};
