/** The other mapping of the memory that code lies in: the direct map. */
import { Memory } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { Prot } from '../../core/value/prot.js';

/** Pages of 4 KiB. */
export interface Mirrors {
  /** Executable and not writable in their own mapping, writable in the direct map: whoever writes there changes code. */
  readonly writable: number;
  /** Executable in both. */
  readonly executable: number;
  /** Not writable in the direct map, whatever they back. */
  readonly read_only: number;
}

export const mirrors = (memory: Memory): Mirrors => {
  let writable = 0;
  let executable = 0;
  for (const [, node, slot] of PageTable.pages(memory.virtual)) {
    const prot = node.prot[slot] as number;
    if (!Prot.has(prot, Prot.present) || !Prot.has(prot, Prot.executable)) continue;
    const alias = Memory.alias(memory, node.frame[slot] as number);
    if (alias === null || !Prot.has(alias.prot, Prot.present)) continue;
    if (Prot.has(alias.prot, Prot.executable)) executable++;
    if (Prot.has(alias.prot, Prot.writable) && !Prot.has(prot, Prot.writable)) writable++;
  }
  let readOnly = 0;
  for (const [, node, slot] of PageTable.pages(memory.direct)) {
    const prot = node.prot[slot] as number;
    if (Prot.has(prot, Prot.present) && !Prot.has(prot, Prot.writable)) readOnly++;
  }
  return { writable, executable, read_only: readOnly };
};
