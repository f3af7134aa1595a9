/** Recordings that no kernel made: emulations, written down as ftrace would have. */
import type { Arch } from '../../core/arch/arch.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event, EventOf } from '../../core/event/event.js';
import type { Words } from '../../core/event/kind.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { signaturesOf, type Signatures } from '../../core/profile/signatures.js';
import type { Workload, WorkloadOperation } from '../../core/workload/workload.js';
import type { CallLine, MarkerLine, Signature } from '../../traces/ftrace/line.js';
import { render, renderHeader } from '../../traces/ftrace/render.js';
import { randomOf } from '../models/random.js';

/** Loads and frees at random, on some hundred slots. */
export const churn = (loads: number, seed = 1): Workload => {
  const random = randomOf(seed);
  const operations: WorkloadOperation[] = [{ op: 'marker', text: 'phase: start' }];
  const slots = new Map<number, string>();
  const waiting: string[] = [];
  for (let i = 0; i < loads; i++) {
    const slot = random(200);
    const old = slots.get(slot);
    if (old !== undefined) {
      operations.push({ op: 'close', slot });
      waiting.push(old);
    }
    while (waiting.length > random(12)) {
      const program = waiting.shift() as string;
      operations.push({ op: 'free', program });
    }
    const program = `p${i}`;
    const image = 40 + random(40) * (1 + random(40));
    slots.set(slot, program);
    operations.push({
      op: 'load',
      program,
      slot,
      type: 'socket_filter',
      insns: image >> 2,
      capable: true,
      blinded: false,
      functions: [{ image, code: image - random(3), insns: image >> 2, tail_calls: [] }],
      during: [],
    });
  }
  operations.push({ op: 'settle' }, { op: 'marker', text: 'phase: end' });
  return { pagetrail_workload: 1, name: 'churn', operations };
};

type LineEvent = EventOf<'entered'> | EventOf<'returned'>;

/** What the probes of a kernel show: functions that have a symbol there, and a line at their end unless they are silent. */
const isLine = (event: Event, of: Signatures): event is LineEvent => {
  if (event.kind !== 'entered' && event.kind !== 'returned') return false;
  const signature = of.get(event.fn);
  return signature !== undefined && (event.kind === 'entered' || signature.results !== null);
};

const headOf = (
  event: Event,
): { line: number; task: string; pid: number; cpu: number; time: number; flags: string } => {
  const at = event.task.lastIndexOf('-');
  return {
    line: 0,
    task: event.task.slice(0, at),
    pid: Number(event.task.slice(at + 1)),
    cpu: event.cpu,
    time: event.time,
    flags: '.....',
  };
};

/** Values that no emulation has: what a recorder prints there means nothing to the model. */
const FILLERS: Readonly<Record<string, number>> = {
  insns: 7,
  id: 0,
  func_idx: 0,
  func_cnt: 0,
  jited_len: 0,
  flags: 1,
};
const STACK: Words = { hi: [0xffffc900], lo: [0x453000], texts: null };

/** The line with all the values that this kernel's probes print, those that the emulation leaves open included. */
const filled = (
  event: LineEvent,
  names: readonly string[],
): { readonly names: readonly string[]; readonly values: Words } => {
  const known = event.names === '' ? [] : event.names.split(',');
  const [hi, lo]: number[][] = [[], []];
  const texts: (string | null)[] = [];
  for (const [i, name] of names.entries()) {
    const at = known.indexOf(name);
    const filler = FILLERS[name];
    hi?.push(at >= 0 ? (event.values.hi[at] ?? 0) : filler === undefined ? (STACK.hi[0] as number) : 0);
    lo?.push(at >= 0 ? (event.values.lo[at] ?? 0) : (filler ?? (STACK.lo[0] as number) + 8 * i));
    texts.push(at >= 0 ? (event.values.texts?.[at] ?? null) : null);
  }
  return {
    names,
    values: { hi: hi ?? [], lo: lo ?? [], texts: texts.some((text) => text !== null) ? texts : null },
  };
};

const callOf = (event: LineEvent, of: Signatures): CallLine => {
  const isReturn = event.kind === 'returned';
  const own = of.get(event.fn);
  const { names, values } = filled(event, (isReturn ? own?.results : own?.args) ?? []);
  const text = names.map((_, i) => typeof values.texts?.[i] === 'string');
  const signature: Signature = { id: 0, names, forms: text.map((is) => (is ? 'quoted' : 'hex')), text };
  return {
    kind: 'call',
    ...headOf(event),
    event: isReturn ? `${event.fn}_ret` : event.fn,
    fn: event.fn,
    isReturn,
    place: isReturn ? 'caller+0x40/0x80' : `${event.fn}+0x0/0x80`,
    callee: isReturn ? event.fn : '',
    signature,
    ...values,
  };
};

export type SyntheticLine = CallLine | MarkerLine;

/** Events of an emulation as the lines that the probes of its kernel would give. */
export const linesOf = (
  events: readonly Event[],
  kernel: string,
  more: Signatures = new Map(),
  arch: Arch = x86_64,
): SyntheticLine[] => {
  const signatures = new Map([
    ...signaturesOf({ probes: profileNamed(kernel)?.probes ?? '' }, arch),
    ...more,
  ]);
  const lines: SyntheticLine[] = [];
  for (const event of events)
    if (isLine(event, signatures)) lines.push(callOf(event, signatures));
    else if (event.kind === 'marker') lines.push({ kind: 'marker', ...headOf(event), text: event.text });
  return lines;
};

/** Lines as the text of a trace. */
export const textOf = (lines: readonly SyntheticLine[]): string =>
  renderHeader(lines.length, 2) +
  lines.map((line) => `${render(line, { origin: 5_000_000_000n })}\n`).join('');

/** Events of an emulation as the text of a trace. */
export const traceOf = (events: readonly Event[], kernel: string): string => textOf(linesOf(events, kernel));

/** Events of a workload on a kernel. */
export const emulation = (workload: Workload, kernel: string, seed = 1, nodes = 1): Event[] => {
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(`no kernel ${kernel}`);
  const events: Event[] = [];
  emulate({ workload, profile, arch: x86_64, seed, nodes, emit: (event) => events.push(event) });
  return events;
};
