import { closeSync, openSync, writeSync } from 'node:fs';
import type { Event, EventOf } from '../core/event/event.js';
import type { CallLine, Signature, ValueForm } from '../traces/ftrace/line.js';
import { render, renderHeader } from '../traces/ftrace/render.js';
import { SignatureTable } from '../traces/ftrace/signature.js';
import { emulated } from './emulated.js';

export interface TextOptions {
  /** Bytes, at least. */
  readonly bytes: number;
  readonly live: number;
  readonly seed: number;
  readonly onProgress?: (bytes: number) => void;
}

export interface Text {
  readonly bytes: number;
  /** Entries of the ring buffer: call lines and markers. */
  readonly entries: number;
  readonly lines: number;
}

/** Where a kprobe sits and what it fetches: length of the function, values of its entry and of its return (null: no kretprobe). */
interface Probe {
  readonly length: number;
  readonly entry: string;
  readonly result: string | null;
}

const program = 'prog:x insns:u jited_len:u bpf_func:x id:u func_idx:u func_cnt:u';
const kallsyms = program.replace('prog', 'fp');
const cpa = 'vaddr:x mask_set:x mask_clr:x numpages:u';
const state = 'curpage:u pfn:x flags:x';
const ret = 'ret:u';

/** The probes of the 6.1 recordings in captures/, as far as a churn of programs meets them. `arg1<start`: recorded as arg1, the model's start. */
const PROBES: Readonly<Record<string, Probe>> = {
  bpf_int_jit_compile: { length: 0x500, entry: program, result: 'ret:x jited_len:u bpf_func:x' },
  bpf_jit_blind_constants: { length: 0x650, entry: 'prog:x', result: 'ret:x' },
  bpf_jit_prog_release_other: { length: 0x80, entry: 'fp:x fp_other:x', result: '' },
  bpf_jit_binary_pack_alloc: {
    length: 0x150,
    entry: 'proglen:u image_ptr:x alignment:u rw_header:x rw_image:x bpf_fill_ill_insns:x',
    result: 'ret:x',
  },
  bpf_jit_charge_modmem: { length: 0x60, entry: 'size:u', result: ret },
  bpf_prog_pack_alloc: { length: 0x2d0, entry: 'size:u bpf_fill_ill_insns:x', result: 'ret:x' },
  bpf_jit_binary_pack_finalize: {
    length: 0x50,
    entry: 'prog:x ro_header:x rw_header:x ro_header_size:u rw_header_size:u',
    result: ret,
  },
  bpf_arch_text_copy: { length: 0x30, entry: 'dst:x src:x len:u', result: 'ret:x' },
  text_poke_copy: { length: 0xb0, entry: 'addr:x opcode:x len:u', result: 'ret:x' },
  __text_poke: { length: 0x490, entry: 'func:x addr:x src:x len:u', result: 'ret:x' },
  bpf_prog_kallsyms_add: { length: 0x140, entry: kallsyms, result: '' },
  bpf_ksym_add: { length: 0x170, entry: 'ksym:x start:x end:x name:q', result: '' },
  bpf_ksym_del: { length: 0xa0, entry: 'ksym:x start:x end:x name:q', result: '' },
  bpf_jit_free: { length: 0x90, entry: program, result: '' },
  bpf_jit_binary_pack_free: { length: 0x30, entry: 'ro_header:x rw_header:x', result: '' },
  bpf_prog_pack_free: { length: 0x1d0, entry: 'hdr:x hdr_size:u', result: '' },
  bpf_arch_text_invalidate: { length: 0x40, entry: 'dst:x len:u', result: ret },
  text_poke_set: { length: 0xb0, entry: 'addr:x c:u len:u', result: 'ret:x' },
  module_alloc: { length: 0xe0, entry: 'size:u', result: 'ret:x' },
  __vmalloc_node_range: {
    length: 0x880,
    entry: 'size:u align:u start:x end:x gfp_mask:u prot:x vm_flags:x node:d caller:x',
    result: 'ret:x',
  },
  set_memory_ro: { length: 0x30, entry: 'addr:x numpages:u', result: ret },
  set_memory_x: { length: 0x50, entry: 'addr:x numpages:u', result: ret },
  change_page_attr_set_clr: {
    length: 0x1c0,
    entry: 'addr:x numpages:u mask_set:x mask_clr:x force_split:u in_flag:u pages:x vaddr:x',
    result: ret,
  },
  _vm_unmap_aliases: { length: 0x130, entry: 'arg1<start:x arg2<end:x arg3<flush:x', result: 'ret:x' },
  __purge_vmap_area_lazy: { length: 0x730, entry: 'start:x end:x', result: ret },
  flush_tlb_kernel_range: { length: 0xc0, entry: 'start:x end:x', result: '' },
  __change_page_attr_set_clr: {
    length: 0xf00,
    entry: `cpa:x checkalias:u ${cpa} ${state}`,
    result: ret,
  },
  cpa_flush: { length: 0x1e0, entry: `data:x cpa:x cache:u ${cpa} ${state}`, result: '' },
  module_memfree: { length: 0x20, entry: 'module_region:x', result: '' },
  vfree: { length: 0xa0, entry: 'addr:x', result: null },
  remove_vm_area: { length: 0xb0, entry: 'addr:x', result: null },
  set_direct_map_invalid_noflush: { length: 0x90, entry: 'page:x', result: ret },
  set_direct_map_default_noflush: { length: 0x90, entry: 'page:x', result: ret },
};

type Halves = readonly [hi: number, lo: number];

/** What the emulator does not say (locals of the kernel, lengths that mean nothing to the model), as the recordings have it. */
const FILLERS: Readonly<Record<string, Halves>> = {
  insns: [0, 255],
  image_ptr: [0xffffc900, 0x3fba28],
  rw_header: [0xffff8880, 0x4fcc800],
  rw_image: [0xffffc900, 0x3fba20],
  bpf_fill_ill_insns: [0xffffffff, 0x8108be90],
  src: [0xffff8880, 0x4fcc800],
  opcode: [0xffff8880, 0x4fcc800],
  func: [0xffffffff, 0x81038140],
  cpa: [0xffffc900, 0x3cb6e8],
  data: [0xffffc900, 0x3cb6e8],
  node: [0xffffffff, 0xffffffff],
  caller: [0xffffffff, 0x8106b920],
};
const ZERO: Halves = [0, 0];
const INTERPRETER: Halves = [0xffffffff, 0x811f6230];

interface Field {
  readonly name: string;
  /** Name in the emulator's event. */
  readonly from: string;
}

interface Shape {
  readonly fields: readonly Field[];
  readonly signature: Signature;
}

const FORMS: Readonly<Record<string, ValueForm>> = { x: 'hex', u: 'decimal', d: 'decimal', q: 'quoted' };

const signatures = new SignatureTable();

const shapeOf = (text: string): Shape => {
  const fields: Field[] = [];
  const forms: ValueForm[] = [];
  for (const part of text.split(' ').filter(Boolean)) {
    const [names = '', form = ''] = part.split(':');
    const [name = '', from = name] = names.split('<');
    fields.push({ name, from });
    forms.push(FORMS[form] as ValueForm);
  }
  const signature = signatures.of(
    fields.map(({ name }) => name),
    forms,
  );
  if (signature === null) throw new Error('too many signatures');
  return { fields, signature };
};

const SHAPES = new Map(
  Object.entries(PROBES).map(([fn, { entry, result, length }]) => [
    fn,
    {
      entry: shapeOf(entry),
      result: result === null ? null : shapeOf(result),
      length: `0x${length.toString(16)}`,
    },
  ]),
);

interface Values {
  readonly hi: number[];
  readonly lo: number[];
  readonly texts: (string | null)[] | null;
}

const valuesOf = (
  { fields, signature }: Shape,
  event: EventOf<'entered' | 'returned'>,
  filled: (name: string) => Halves,
): Values => {
  const names = event.names === '' ? [] : event.names.split(',');
  const hi: number[] = [];
  const lo: number[] = [];
  let texts: (string | null)[] | null = null;
  fields.forEach(({ name, from }, i) => {
    const at = names.includes(name) ? names.indexOf(name) : names.indexOf(from);
    const [upper, lower] =
      at < 0 ? filled(name) : [event.values.hi[at] as number, event.values.lo[at] as number];
    hi.push(upper);
    lo.push(lower);
    if (signature.text[i] === true)
      (texts ??= fields.map(() => null))[i] = (at < 0 ? null : event.values.texts?.[at]) ?? '';
  });
  return { hi, lo, texts };
};

/** The recorder's note of an operation: `op 3: load slot=5 type=xdp insns=99 subprogs=0`. */
const operationText = ({ index, json }: EventOf<'operation'>): string => {
  const operation = JSON.parse(json) as {
    readonly op: string;
    readonly functions?: readonly unknown[];
  } & Readonly<Record<string, unknown>>;
  const said = ['slot', 'socket', 'type', 'insns'].flatMap((name) =>
    operation[name] === undefined || operation[name] === null ? [] : [`${name}=${operation[name] as string}`],
  );
  if (operation.op === 'load') said.push(`subprogs=${(operation.functions?.length ?? 1) - 1}`);
  return [`op ${index}: ${operation.op}`, ...said].join(' ');
};

const PAST_SECONDS = 6_320_058_000n;

/** Makes the lines that a recording of 6.1 with those probes has for the events of an emulation; null where there is none. */
class Recorder {
  /** Functions of the open calls, by seq. */
  readonly #open = new Map<number, { readonly fn: string; readonly parent: number }>();
  #functions = 1;

  line(event: Event): string | null {
    switch (event.kind) {
      case 'marker':
        return this.#marker(event, event.text);
      case 'operation':
        this.#functions = /"functions":\[.*\},\{/.test(event.json) ? 2 : 1;
        return this.#marker(event, operationText(event));
      case 'entered':
        this.#open.set(event.seq, { fn: event.fn, parent: event.call });
        return this.#call(event);
      case 'returned': {
        const line = this.#call(event);
        this.#open.delete(event.call);
        return line;
      }
      default:
        return null;
    }
  }

  /** No call is open. */
  get quiet(): boolean {
    return this.#open.size === 0;
  }

  #marker(event: Event, text: string): string {
    return render(
      { kind: 'marker', line: 0, ...taskOf(event), cpu: event.cpu, time: event.time, text },
      { origin: PAST_SECONDS },
    );
  }

  #call(event: EventOf<'entered' | 'returned'>): string | null {
    const probe = SHAPES.get(event.fn);
    const isReturn = event.kind === 'returned';
    const shape = isReturn ? probe?.result : probe?.entry;
    if (probe === undefined || shape === null || shape === undefined) return null;
    const line: CallLine = {
      kind: 'call',
      line: 0,
      ...taskOf(event),
      cpu: event.cpu,
      flags: '.....',
      time: event.time,
      event: isReturn ? `${event.fn}_ret` : event.fn,
      fn: event.fn,
      isReturn,
      place: isReturn ? this.#caller(event) : `${event.fn}+0x0/${probe.length}`,
      callee: isReturn ? event.fn : '',
      signature: shape.signature,
      ...valuesOf(shape, event, (name) => this.#filler(name)),
    };
    return render(line, { origin: PAST_SECONDS });
  }

  #filler(name: string): Halves {
    // Functions of a larger program have no interpreter behind them.
    if (name === 'bpf_func') return this.#functions > 1 ? ZERO : INTERPRETER;
    return FILLERS[name] ?? ZERO;
  }

  /** Where a call returns to: functions without a probe are taken for inlined; tail calls leave the kretprobe's own trampoline there. */
  #caller({ fn, call }: EventOf<'entered' | 'returned'>): string {
    if (fn === 'bpf_ksym_add') return "[unknown/kretprobe'd]";
    let parent = this.#open.get(this.#open.get(call)?.parent ?? 0);
    while (parent !== undefined && !SHAPES.has(parent.fn)) parent = this.#open.get(parent.parent);
    if (parent === undefined) return 'process_one_work+0x1c7/0x380';
    return `${parent.fn}+0x5d/${SHAPES.get(parent.fn)?.length ?? '0x150'}`;
  }
}

const taskOf = ({ task }: Event): { readonly task: string; readonly pid: number } => {
  const dash = task.lastIndexOf('-');
  return { task: task.slice(0, dash), pid: Number(task.slice(dash + 1)) };
};

const CHUNK = 1 << 20;
/** At most: two events in three are lines of some 160 bytes. */
const BYTES_PER_EVENT = 80;

/**
 * Writes the ftrace text of an emulated churn on 6.1, as a recording with the probes of the captures has it; the same for the same options. Every
 * line fits the ones before, so that it can be followed.
 */
export const writeText = (file: string, options: TextOptions): Text => {
  const out = openSync(file, 'w');
  const recorder = new Recorder();
  // The count is known at the end: its place is kept.
  const place = renderHeader(10 ** 11, 2);
  let parts: string[] = [place];
  let length = place.length;
  let bytes = length;
  let entries = 0;
  const flush = (): void => {
    writeSync(out, parts.join(''));
    parts = [];
    length = 0;
    options.onProgress?.(bytes);
  };
  const events = Math.ceil(options.bytes / BYTES_PER_EVENT) + 1000;
  emulated({ kernel: '6.1', events, live: options.live, seed: options.seed }, (event) => {
    if (bytes >= options.bytes && recorder.quiet) return false;
    const line = recorder.line(event);
    if (line === null) return true;
    entries++;
    parts.push(line, '\n');
    length += line.length + 1;
    bytes += line.length + 1;
    if (length >= CHUNK) flush();
    return true;
  });
  flush();
  const header = renderHeader(entries, 2).split('\n');
  const wide = place.split('\n').map((line, i) => (header[i] ?? '').padEnd(line.length));
  writeSync(out, wide.join('\n'), 0);
  closeSync(out);
  return { bytes, entries, lines: entries + place.split('\n').length - 1 };
};
