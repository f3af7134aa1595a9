import { bpfIntJitCompile, bpfJitFree } from '../../kernel/jit.js';
import {
  bpfArchPokeDescUpdate,
  bpfArchTextPoke,
  bpfDispatcherChangeProg,
  bpfKsymAdd,
  bpfKsymDel,
  bpfProgKallsymsAdd,
} from '../../kernel/programs.js';
import { cpaRoots } from '../../kernel/cpa.js';
import type { Args, KernelFunction } from '../../kernel/request.js';
import { foreignTextPoke, smpTextPokeSingle, textPokeBp } from '../../kernel/textPoke.js';
import { flushTlbKernelRange, purgeVmapAreaLazy, vfree, vmUnmapAliases } from '../../kernel/vmalloc.js';
import { bpfProgPackAlloc, bpfProgPackFree } from '../../kernel/packs.js';

/** Calls that a task makes on its own account, with their models. `foreign`: of others, which may stand anywhere, also inside another call. */
export interface Root {
  readonly fn: KernelFunction;
  readonly foreign: boolean;
  /** Arguments of the model, from those of the line. */
  readonly args: (recorded: Args) => Args;
}

const root = (fn: KernelFunction, foreign = false, extra: Args = {}): readonly [string, Root] => [
  fn.name,
  { fn, foreign, args: (recorded) => ({ ...recorded, ...extra }) },
];

export const ROOTS: ReadonlyMap<string, Root> = new Map([
  root(bpfIntJitCompile as KernelFunction),
  root(bpfJitFree as KernelFunction),
  root(bpfProgKallsymsAdd as KernelFunction),
  root(bpfKsymAdd as unknown as KernelFunction, false, { id: 0 }),
  root(bpfKsymDel as KernelFunction),
  root(bpfArchPokeDescUpdate as KernelFunction),
  root(bpfArchTextPoke as KernelFunction),
  root(bpfDispatcherChangeProg as KernelFunction),
  root(bpfProgPackAlloc as unknown as KernelFunction, false, { fill: 'trap', was_classic: 0 }),
  root(bpfProgPackFree as unknown as KernelFunction),
  root(textPokeBp as unknown as KernelFunction, true),
  root(smpTextPokeSingle as unknown as KernelFunction, true),
  root(foreignTextPoke as unknown as KernelFunction, true, { what: 'instruction' }),
  root(flushTlbKernelRange as unknown as KernelFunction, true),
  root(purgeVmapAreaLazy as unknown as KernelFunction, true),
  root(vmUnmapAliases as unknown as KernelFunction, true),
  root(vfree as unknown as KernelFunction, true),
  root(cpaRoots.setMemoryRo as unknown as KernelFunction, true),
  root(cpaRoots.setMemoryRw as unknown as KernelFunction, true),
  root(cpaRoots.setMemoryX as unknown as KernelFunction, true),
  root(cpaRoots.setMemoryNx as unknown as KernelFunction, true),
  root(cpaRoots.setMemoryRox as unknown as KernelFunction, true),
  root(cpaRoots.setMemoryNp as unknown as KernelFunction, true),
  root(cpaRoots.changePageAttrSetClr as unknown as KernelFunction, true),
  root(cpaRoots.setDirectMapInvalid as unknown as KernelFunction, true),
  root(cpaRoots.setDirectMapDefault as unknown as KernelFunction, true),
]);

/** Functions whose entry always begins a root call of the workload: a call still open in the same task has ended unseen. */
export const ALWAYS_ROOT: ReadonlySet<string> = new Set([
  'bpf_int_jit_compile',
  'bpf_jit_free',
  'bpf_prog_kallsyms_add',
  'bpf_dispatcher_change_prog',
  'bpf_arch_poke_desc_update',
]);
