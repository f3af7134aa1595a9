import { eventOf, type Event, type Fact } from '../core/event/event.js';
import type { Words } from '../core/event/kind.js';
import { Address } from '../core/value/address.js';

/** A workload that loads and unloads programs all the time, as a recording of Linux 6.1 on x86-64 shows it: calls, and what they change. */
interface Churn {
  readonly events: Event[];
  readonly open: number[];
  readonly random: (below: number) => number;
  time: number;
}

const TASK = 'workload-84';
const JIT = 0xffffffff;
const SLAB = 0xffff8880;
const VMALLOC = 0xffffc900;

function xorshift(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Halves = readonly [hi: number, lo: number];
type Values = Readonly<Record<string, Halves>>;

/** Equal texts are one string, as a reader of recordings gives them. */
const strings = new Map<string, string>();
function interned(text: string): string {
  const known = strings.get(text);
  if (known !== undefined) return known;
  strings.set(text, text);
  return text;
}

const namesOf = (values: Values): string => interned(Object.keys(values).join(','));
const wordsOf = (values: Values): Words => ({
  hi: Object.values(values).map(([hi]) => hi),
  lo: Object.values(values).map(([, lo]) => lo),
  texts: null,
});

/** Adds an event, some microseconds later (what the model derives: at the same time). */
function add(to: Churn, origin: 0 | 1, within: number, fact: Fact): void {
  if (origin === 0) to.time += (1 + to.random(30)) * 1000;
  to.events.push(
    eventOf({ seq: to.events.length + 1, time: to.time, cpu: 0, task: TASK, call: within, origin }, fact),
  );
}

/** A kernel function is entered, does something and returns. */
function call(to: Churn, fn: string, args: Values, does: () => Values): void {
  const seq = to.events.length + 1;
  const place = interned(`${fn}+0x0/0x150`);
  add(to, 0, to.open.at(-1) ?? 0, {
    kind: 'entered',
    fn,
    place,
    names: namesOf(args),
    values: wordsOf(args),
  });
  to.open.push(seq);
  const result = does();
  to.open.pop();
  const caller = interned(`caller_of_${fn}+0x5d/0x190`);
  add(to, 0, seq, { kind: 'returned', fn, place: caller, names: namesOf(result), values: wordsOf(result) });
}

const derive = (to: Churn, fact: Fact): void => add(to, 1, to.open.at(-1) ?? 0, fact);

interface Program {
  readonly prog: Halves;
  readonly chunk: Halves;
  readonly size: number;
}

const NOTHING: Values = {};
const ZERO: Values = { ret: [0, 0] };
const PACK = 0xffffffffc0000;

function load(to: Churn): Program {
  const prog: Halves = [VMALLOC, 0x45000 + to.random(4000) * 4096];
  const chunk: Halves = [JIT, 0xc0000000 + to.random(32_000) * 64];
  const src: Halves = [SLAB, 0x4000000 + to.random(2000) * 1024];
  const size = 512 + to.random(30) * 64;
  const len: Halves = [0, size];
  const at = Address.fromWords(...chunk);
  call(to, 'bpf_int_jit_compile', { prog, insns: [0, size >> 2], id: [0, 0] }, () => {
    call(to, 'bpf_jit_binary_pack_alloc', { proglen: [0, size - 52], alignment: [0, 4] }, () => {
      call(to, 'bpf_jit_charge_modmem', { size: len }, () => {
        derive(to, { kind: 'charged', bytes: size });
        return ZERO;
      });
      call(to, 'bpf_prog_pack_alloc', { size: len }, () => {
        derive(to, { kind: 'chunk-allocated', pack: PACK, at, bytes: size });
        return { ret: chunk };
      });
      return { ret: chunk };
    });
    call(to, 'bpf_jit_binary_pack_finalize', { prog, ro_header: chunk, rw_header: src }, () => {
      for (const fn of ['bpf_arch_text_copy', 'text_poke_copy', '__text_poke'])
        call(to, fn, { dst: chunk, src, len }, () => ({ ret: chunk }));
      derive(to, { kind: 'copied', to: at, length: size, what: 'image', way: 'poke' });
      return ZERO;
    });
    return { ret: prog };
  });
  return { prog, chunk, size };
}

function unload(to: Churn, { prog, chunk, size }: Program): void {
  const at = Address.fromWords(...chunk);
  call(to, 'bpf_prog_free', { prog }, () => {
    call(to, 'bpf_prog_pack_free', { hdr: chunk, size: [0, size] }, () => {
      derive(to, { kind: 'filled', to: at, length: size, pattern: 0xcccccccc, way: 'poke' });
      derive(to, { kind: 'chunk-freed', pack: PACK, at, bytes: size });
      return NOTHING;
    });
    derive(to, { kind: 'charged', bytes: -size });
    return NOTHING;
  });
}

/** At least `count` events; the same for the same count. */
export function churn(count: number): readonly Event[] {
  const to: Churn = { events: [], open: [], random: xorshift(0x5eed), time: 0 };
  const live: Program[] = [];
  while (to.events.length < count) {
    live.push(load(to));
    const victim = live.length > 40 ? live.splice(to.random(live.length), 1)[0] : undefined;
    if (victim !== undefined) unload(to, victim);
  }
  return to.events;
}

/** Events of one simple kind: permission changes of page after page. */
export const permissions = (count: number): readonly Event[] =>
  Array.from({ length: count }, (_, i) => ({
    seq: i + 1,
    time: i * 3000,
    cpu: i & 1,
    task: TASK,
    call: 0,
    origin: 1,
    kind: 'permission',
    space: i & 1,
    page: 0xffffffffc0000 + ((i * 7919) % 5000),
    pages: 1,
    set: 4,
    clear: 2,
  }));
