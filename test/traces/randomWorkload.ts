/** Workloads at random: what programs, sockets, the dispatcher and the limit can do, in any order that a kernel allows. */
import type { Workload, WorkloadFunction, WorkloadOperation } from '../../core/workload/workload.js';
import { randomOf } from '../models/random.js';

const SLOTS = 24;
const SOCKETS = 3;
const KEYS = 2;
const OVERSIZE = 2_597_024;

export const randomWorkload = (seed: number, length: number): Workload => {
  const random = randomOf(seed);
  const one = (of: number): boolean => random(of) === 0;
  const operations: WorkloadOperation[] = [];
  const slots = new Map<number, { readonly program: string; readonly functions: number }>();
  const sockets = new Map<number, string>();
  let waiting: { readonly program: string; readonly functions: number }[] = [];
  let attached = false;
  let limited = false;
  let count = 0;

  const functionOf = (image: number): WorkloadFunction => {
    const code = image - random(4);
    const room = image > 200;
    return {
      image,
      code,
      insns: image >> 2,
      tail_calls: room && one(4) ? [{ key: random(KEYS), bypass: 20, jump: 40 }] : [],
    };
  };
  const imageOf = (): number => {
    if (one(25)) return OVERSIZE + random(1_000_000);
    return one(6) ? 4000 + random(60_000) : 40 + random(40) * (1 + random(40));
  };
  const functions = (): WorkloadFunction[] =>
    Array.from({ length: one(3) ? 2 + random(4) : 1 }, () => functionOf(imageOf()));
  const capable = (): boolean => !limited || one(3);

  const load = (): void => {
    const program = `p${count++}`;
    const slot = random(SLOTS);
    const old = slots.get(slot);
    if (old !== undefined) {
      operations.push({ op: 'close', slot });
      waiting.push(old);
    }
    const own = one(30) ? [] : functions();
    const during: { after: number; program: string; function: number }[] = [];
    const pending = waiting[0];
    if (own.length > 1 && pending !== undefined && one(2)) {
      waiting.shift();
      for (let fn = 0; fn < pending.functions; fn++)
        during.push({ after: 1 + random(own.length - 1), program: pending.program, function: fn });
      during.sort((a, b) => a.after - b.after);
    }
    const base = { op: 'load', program, type: 'socket_filter', insns: 10 + random(900), during } as const;
    if (own.length === 0) {
      operations.push({
        ...base,
        slot: null,
        capable: true,
        blinded: false,
        fails: 'verifier',
        functions: own,
      });
      slots.delete(slot);
      return;
    }
    operations.push({ ...base, slot, capable: capable(), blinded: one(8), functions: own });
    slots.set(slot, { program, functions: own.length });
  };

  const attachClassic = (): void => {
    const program = `c${count++}`;
    const socket = random(SOCKETS);
    operations.push({
      op: 'attach_classic',
      program,
      socket,
      insns: 5 + random(60),
      capable: capable(),
      functions: [functionOf(40 + random(600))],
    });
    const old = sockets.get(socket);
    if (old !== undefined) waiting.push({ program: old, functions: 1 });
    sockets.set(socket, program);
  };

  for (let i = 0; i < length; i++)
    switch (random(16)) {
      default:
        load();
        break;
      case 7:
      case 8: {
        const slot = [...slots.keys()][random(slots.size)];
        if (slot === undefined) break;
        operations.push({ op: 'close', slot });
        waiting.push(slots.get(slot) as { program: string; functions: number });
        slots.delete(slot);
        break;
      }
      case 9:
        attachClassic();
        break;
      case 10: {
        const socket = [...sockets.keys()][random(sockets.size)];
        if (socket === undefined) break;
        operations.push({ op: 'detach_classic', socket });
        waiting.push({ program: sockets.get(socket) as string, functions: 1 });
        sockets.delete(socket);
        break;
      }
      case 11:
        for (const { program } of waiting.splice(0, 1 + random(6))) operations.push({ op: 'free', program });
        break;
      case 12:
        if (one(3)) {
          operations.push({ op: 'settle' });
          waiting = [];
        }
        break;
      case 13: {
        const slot = [...slots.keys()][random(slots.size)];
        if (attached || slot === undefined) operations.push({ op: 'detach_xdp' });
        else operations.push({ op: 'attach_xdp', slot });
        attached = !attached && slot !== undefined;
        break;
      }
      case 14: {
        const slot = [...slots.keys()][random(slots.size)];
        operations.push({
          op: 'tail_call_update',
          key: random(KEYS),
          slot: one(3) || slot === undefined ? null : slot,
        });
        break;
      }
      case 15:
        if (!one(4)) break;
        limited = !limited;
        {
          const bytes = limited ? 4096 * (1 + random(6)) : 264_241_152;
          // The recorder's own words: the kernel traces no such event.
          operations.push({ op: 'set_jit_limit', bytes, mark: `op ${i}: set_bpf_jit_limit ${bytes}` });
        }
        break;
    }
  if (one(2)) operations.push({ op: 'settle' });
  return { pagetrail_workload: 1, name: `random-${seed}`, operations };
};
