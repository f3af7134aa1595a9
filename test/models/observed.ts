/** What one kernel does, seen from outside: for specifications that compare kernels. */
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate, type Emulated } from '../../core/driver/emulate/emulate.js';
import { setMemoryX } from '../../core/kernel/setMemory.js';
import { bpfArchPokeDescUpdate, bpfDispatcherChangeProg } from '../../core/kernel/programs.js';
import type { Event } from '../../core/event/event.js';
import type { Args } from '../../core/kernel/request.js';
import { moduleAlloc } from '../../core/kernel/vmalloc.js';
import { Memory } from '../../core/memory/memory.js';
import { v6_1 } from '../../core/profile/profile.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { signaturesOf } from '../../core/profile/signatures.js';
import { Address } from '../../core/value/address.js';
import type { Word } from '../../core/value/words.js';
import type { Workload, WorkloadOperation } from '../../core/workload/workload.js';
import { load } from '../core/audit/injected.js';
import { factsOfKind } from './drive.js';
import { Scene } from './scene.js';

export const calls = (scene: Scene, fn: string): Args[] =>
  scene.steps.flatMap((step) => (step.step === 'call' && step.name === fn ? [step.args] : []));

/** The first load of a kernel. */
export const first = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  scene.load();
  return scene;
};
/** One of two programs that was freed. */
export const freed = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  scene.load();
  scene.free(scene.load());
  return scene;
};
/** The last call of that kind while the only program goes. */
export const emptied = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  scene.free(scene.load());
  return scene;
};

/** A writable page is made executable. */
export const madeExecutable = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  const addr = scene.call(moduleAlloc, { size: 4096 });
  scene.call(setMemoryX, { addr: addr ?? Address.zero, numpages: 1 });
  return scene;
};

export const low = (args: Args | undefined, name: string): number =>
  (args?.[name] as Word | undefined)?.lo ?? -1;
export const area = (kernel: string): Args | undefined => calls(first(kernel), '__vmalloc_node_range').at(-1);

export const emulated = (
  kernel: string,
  operation: WorkloadOperation = load(1),
): Omit<Emulated, 'events'> & { readonly events: readonly Event[] } => {
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(kernel);
  const workload: Workload = { pagetrail_workload: 1, name: 'one program', operations: [operation] };
  const events: Event[] = [];
  return {
    ...emulate({ workload, profile, arch: x86_64, seed: 1, emit: (event) => events.push(event) }),
    events,
  };
};

/** Size of the range of areas, divided by the limit. */
export const shareOf = (kernel: string): number => {
  const [from, to] = x86_64.moduleRange(profileNamed(kernel) ?? v6_1);
  const set = emulated(kernel).given.find((event) => event.kind === 'limit-set');
  return ((to - from) * 4096) / (set?.bytes ?? 0);
};

export const dispatcherPage = (kernel: string): string => {
  const scene = new Scene(kernel);
  const change = { d: { hi: 0xffffffff, lo: 0x82000000 }, from: { hi: 0, lo: 0 }, to: { hi: 0, lo: 1 } };
  scene.call(bpfDispatcherChangeProg, change);
  const image = factsOfKind(scene.steps, 'program-allocated')[0]?.chunk;
  return image === undefined ? 'none' : scene.page(image.page);
};

export const unfinished = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  scene.load();
  scene.final = false;
  const compiled = scene.compile();
  if (compiled === null) throw new Error('not compiled');
  scene.free(compiled);
  return scene;
};

export const patchedBy = (kernel: string): string => {
  const sites = [{ at: Address.of(0xffffffffc0000, 64), length: 5 }];
  const scene = new Scene(kernel, { answers: { patch: () => sites.shift() ?? null } });
  scene.call(bpfArchPokeDescUpdate, { poke: { hi: 0, lo: 0 } });
  return calls(scene, 'smp_text_poke_single').length > 0 ? 'smp_text_poke_single' : 'text_poke_bp';
};

export const symbolEnd = (kernel: string): string => {
  const scene = new Scene(kernel);
  const { program } = scene.load();
  const end = [...Memory.symbols(scene.memory)][0]?.end ?? Address.zero;
  return Address.equals(end, Address.add(program.chunk, program.bytes)) ? 'page' : 'code';
};

export const fixups = (kernel: string): boolean => {
  let asked = false;
  const scene = new Scene(kernel, {
    answers: {
      patch: ({ fn }) => {
        asked ||= fn === 'bpf_tail_call_direct_fixup';
        return null;
      },
    },
  });
  scene.load();
  return asked;
};

export const argsOf = (kernel: string, fn: string): readonly string[] | undefined =>
  signaturesOf({ probes: profileNamed(kernel)?.probes ?? '' }).get(fn)?.args;
