import type { Arch } from '../../arch/arch.js';
import {
  bpfIntJitCompile,
  bpfJitBlindConstants,
  bpfJitFree,
  bpfJitProgReleaseOther,
} from '../../kernel/jit.js';
import { bpfJitChargeModmem, bpfJitUnchargeModmem } from '../../kernel/jitBinary.js';
import {
  bpfArchPokeDescUpdate,
  bpfArchTextPoke,
  bpfDispatcherChangeProg,
  bpfKsymAdd,
  bpfKsymDel,
  bpfProgKallsymsAdd,
  bpfProgKallsymsDel,
} from '../../kernel/programs.js';
import {
  setDirectMapDefault,
  setDirectMapInvalid,
  setMemoryNp,
  setMemoryNx,
  setMemoryRo,
  setMemoryRox,
  setMemoryRw,
  setMemoryX,
} from '../../kernel/setMemory.js';
import type { Args, KernelFunction } from '../../kernel/request.js';
import {
  bpfArchTextCopy,
  bpfArchTextInvalidate,
  foreignTextPoke,
  smpTextPokeSingle,
  textPoke,
  textPokeBp,
  textPokeCopy,
  textPokeCopyLocked,
  textPokeSet,
} from '../../kernel/textPoke.js';
import { flushTlbKernelRange, purgeVmapAreaLazy, vmUnmapAliases } from '../../kernel/purge.js';
import {
  bpfJitAllocExec,
  bpfJitFreeExec,
  execmemAlloc,
  execmemFree,
  moduleAlloc,
  moduleMemfree,
  vfree,
  vmallocNodeRange,
} from '../../kernel/vmalloc.js';
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

const ROOTS: ReadonlyMap<string, Root> = new Map([
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
  root(setMemoryRo as unknown as KernelFunction, true),
  root(setMemoryRw as unknown as KernelFunction, true),
  root(setMemoryX as unknown as KernelFunction, true),
  root(setMemoryNx as unknown as KernelFunction, true),
  root(setMemoryRox as unknown as KernelFunction, true),
  root(setMemoryNp as unknown as KernelFunction, true),
  root(setDirectMapInvalid as unknown as KernelFunction, true),
  root(setDirectMapDefault as unknown as KernelFunction, true),
  // Calls that the JIT of some kernels makes from functions that are not probed.
  root(bpfJitBlindConstants as KernelFunction),
  root(bpfJitProgReleaseOther as unknown as KernelFunction),
  root(bpfProgKallsymsDel as KernelFunction),
  root(bpfJitChargeModmem as unknown as KernelFunction),
  root(bpfJitUnchargeModmem as unknown as KernelFunction),
  // Executable memory of others in the same range: modules, kprobes, ftrace, trampolines.
  root(vmallocNodeRange as unknown as KernelFunction, true, { caller: '' }),
  root(moduleAlloc as unknown as KernelFunction, true),
  root(moduleMemfree as unknown as KernelFunction, true),
  root(bpfJitAllocExec as unknown as KernelFunction, true),
  root(bpfJitFreeExec as unknown as KernelFunction, true),
  root(execmemAlloc as unknown as KernelFunction, true),
  root(execmemFree as unknown as KernelFunction, true),
  root(textPoke as unknown as KernelFunction, true),
  root(textPokeCopy as unknown as KernelFunction, true, { what: 'code' }),
  root(textPokeCopyLocked as unknown as KernelFunction, true, { what: 'code' }),
  root(textPokeSet as unknown as KernelFunction, true),
  root(bpfArchTextCopy as unknown as KernelFunction, true, { what: 'code' }),
  root(bpfArchTextInvalidate as unknown as KernelFunction, true),
]);

const ROOTS_BY_ARCH = new WeakMap<Arch, ReadonlyMap<string, Root>>();

/** Root calls by function: those that every architecture has, and its own. */
export const rootsOf = (arch: Arch): ReadonlyMap<string, Root> => {
  let roots = ROOTS_BY_ARCH.get(arch);
  if (roots === undefined)
    ROOTS_BY_ARCH.set(arch, (roots = new Map([...ROOTS, ...arch.ownFunctions.map((fn) => root(fn, true))])));
  return roots;
};

/** Whether a call of a function is one of BPF's own: no foreign call, on any architecture. */
export const isOwnRoot = (fn: string): boolean => ROOTS.get(fn)?.foreign === false;

/** Functions whose entry always begins a root call of the workload: a call still open in the same task has ended unseen. */
export const ALWAYS_ROOT: ReadonlySet<string> = new Set([
  'bpf_int_jit_compile',
  'bpf_jit_free',
  'bpf_prog_kallsyms_add',
  'bpf_dispatcher_change_prog',
  'bpf_arch_poke_desc_update',
]);

/** Foreign calls that may stand in the middle of another call of the same task: interrupts, work done by the way. */
export const ALSO_INSIDE: ReadonlySet<string> = new Set([
  'flush_tlb_kernel_range',
  '__purge_vmap_area_lazy',
  '_vm_unmap_aliases',
  '__text_poke',
  'text_poke_bp',
  'smp_text_poke_single',
  '__vmalloc_node_range',
  'vfree',
  'set_direct_map_invalid_noflush',
  'set_direct_map_default_noflush',
]);
