/** Recordings that no kernel made: emulations, written down as ftrace would have. */
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event, EventOf } from '../../core/event/event.js';
import { profileNamed } from '../../core/profile/profiles.js';
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

/** What the lab's probes do not show. */
const NOT_PROBED = new Set([
  'alloc_new_pack',
  'module_alloc_huge',
  '__split_large_page',
  '__should_split_large_page',
  '__change_page_attr',
  'cpa_process_alias',
  '__vunmap',
  'bpf_jit_uncharge_modmem',
]);
/** What returns without a line. */
const SILENT = new Set([
  'vfree',
  'vfree_atomic',
  '__vunmap',
  'remove_vm_area',
  'vunmap_range',
  'vunmap_range_noflush',
  'vmap_pages_range_noflush',
]);

const isLine = (event: Event): event is EventOf<'entered'> | EventOf<'returned'> =>
  (event.kind === 'entered' && !NOT_PROBED.has(event.fn)) ||
  (event.kind === 'returned' && !NOT_PROBED.has(event.fn) && !SILENT.has(event.fn));

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

const signatureOf = (event: EventOf<'entered'> | EventOf<'returned'>): Signature => {
  const names = event.names === '' ? [] : event.names.split(',');
  const text = names.map((_, i) => typeof event.values.texts?.[i] === 'string');
  return { id: 0, names, forms: text.map((is) => (is ? 'quoted' : 'hex')), text };
};

const callOf = (event: EventOf<'entered'> | EventOf<'returned'>): CallLine => {
  const isReturn = event.kind === 'returned';
  return {
    kind: 'call',
    ...headOf(event),
    event: isReturn ? `${event.fn}_ret` : event.fn,
    fn: event.fn,
    isReturn,
    place: isReturn ? 'caller+0x40/0x80' : `${event.fn}+0x0/0x80`,
    callee: isReturn ? event.fn : '',
    signature: signatureOf(event),
    ...event.values,
  };
};

/** Events of an emulation as the text of a trace. */
export const traceOf = (events: readonly Event[]): string => {
  const lines: (CallLine | MarkerLine)[] = [];
  for (const event of events)
    if (isLine(event)) lines.push(callOf(event));
    else if (event.kind === 'marker') lines.push({ kind: 'marker', ...headOf(event), text: event.text });
  return (
    renderHeader(lines.length, 2) +
    lines.map((line) => `${render(line, { origin: 5_000_000_000n })}\n`).join('')
  );
};

/** Events of a workload on a kernel. */
export const emulation = (workload: Workload, kernel: string, seed = 1, nodes = 1): Event[] => {
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(`no kernel ${kernel}`);
  const events: Event[] = [];
  emulate({ workload, profile, arch: x86_64, seed, nodes, emit: (event) => events.push(event) });
  return events;
};
