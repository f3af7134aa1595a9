import { changePageAttrSetClr, cpaSetDirectMap, cpaSetMemory } from '../kernel/cpa.js';
import { textPokeCopyBody, textPokeInvalidateBody } from '../kernel/textPoke.js';
import { Prot } from '../value/prot.js';
import { anyFunction, type Arch } from './arch.js';

/** x86-64, 4-level page tables, nokaslr addresses for emulations (recordings bring their own). */
export const x86_64: Arch = Object.freeze({
  name: 'x86_64',
  pageSize: 4096,
  leafShifts: [12, 21, 30],
  directLeaf: 21,
  trap: 0xcccccccc,
  codeAlignment: () => 4,
  lastPassResizes: false,
  pokePages: 2,
  coherentFetch: true,
  copyFlush: 'whole',
  protKernel: { hi: 0x80000000, lo: 0x163 },
  areaProt: () => Prot.kernel,
  areaAlign: 4096,
  framesShown: true,
  ownRange: true,
  mirrorsReadOnly: () => true,
  // MODULES_VADDR depends on CONFIG_RANDOMIZE_BASE; MODULES_END is fixed.
  moduleRange: ({ kaslrCompiledIn }) => [
    kaslrCompiledIn ? 0xffffffffc0000 : 0xffffffffa0000,
    0xffffffffff000,
  ],
  dispatches: true,
  patchesTailCalls: true,
  directBase: 0xffff888000000,
  vmemmap: { hi: 0xffffea00, lo: 0 },
  port: () => ({}),
  missing: () => null,
  setMemory: cpaSetMemory,
  setDirectMap: cpaSetDirectMap,
  textCopy: textPokeCopyBody,
  textInvalidate: textPokeInvalidateBody,
  ownFunctions: [anyFunction(changePageAttrSetClr)],
  shownBy: {
    permissions: ['__change_page_attr_set_clr', '__change_page_attr', 'change_page_attr_set_clr'],
    directMap: ['__change_page_attr_set_clr', '__change_page_attr', 'cpa_process_alias'],
    flushes: ['cpa_flush', 'flush_tlb_kernel_range'],
  },
  signatures: () => '',
} satisfies Arch);
