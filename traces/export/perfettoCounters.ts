import type { Event } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { folder, type Folder } from '../../core/memory/evolve.js';
import type { Memory } from '../../core/memory/memory.js';
import { NODE_PAGES, PageTable, type PageNode } from '../../core/memory/pageTable.js';
import { Prot } from '../../core/value/prot.js';

/** What is counted over time. Null: not known at that moment. */
export interface Counts {
  readonly 'JIT memory charged': number | null;
  readonly 'executable pages': number;
  readonly 'pages that may be executable': number;
  readonly 'direct map splits to 4K': number;
  readonly 'direct map splits to 2M': number;
}

/** Units, as the counter's argument is named. */
export const UNITS: Readonly<Record<keyof Counts, string>> = {
  'JIT memory charged': 'bytes',
  'executable pages': 'pages',
  'pages that may be executable': 'pages',
  'direct map splits to 4K': 'splits',
  'direct map splits to 2M': 'splits',
};

interface NodeCount {
  readonly executable: number;
  readonly unknown: number;
}

const NONE: NodeCount = { executable: 0, unknown: 0 };

function countNode(node: PageNode | undefined): NodeCount {
  if (node === undefined) return NONE;
  let executable = 0;
  let unknown = 0;
  for (let slot = 0; slot < NODE_PAGES; slot++) {
    const prot = node.prot[slot] as number;
    if (node.shift[slot] === 0 || !Prot.mayExecute(prot)) continue;
    if (Prot.has(prot, Prot.present) && Prot.has(prot, Prot.executable)) executable++;
    else unknown++;
  }
  return { executable, unknown };
}

/** Virtual pages whose permission an event may change. */
function pagesOf(event: Event): { readonly page: number; readonly pages: number } | null {
  switch (event.kind) {
    case 'mapped':
    case 'unmapped':
    case 'forgotten':
      return event;
    case 'permission':
      return event.space === Space.virtual ? event : null;
    default:
      return null;
  }
}

/** Follows memory and counts what is executable, node of page tables by node: only those an event touches are counted again. */
export class Counting {
  readonly #fold: Folder;
  readonly #nodes = new Map<number, NodeCount>();
  #executable = 0;
  #unknown = 0;

  constructor(start: Memory) {
    this.#fold = folder(start);
    for (const key of start.virtual.keys) this.#count(start, key);
  }

  #count(memory: Memory, key: number): void {
    const before = this.#nodes.get(key) ?? NONE;
    const now = countNode(PageTable.node(memory.virtual, key * NODE_PAGES));
    this.#executable += now.executable - before.executable;
    this.#unknown += now.unknown - before.unknown;
    this.#nodes.set(key, now);
  }

  apply(event: Event): void {
    this.#fold.apply(event);
    const range = pagesOf(event);
    if (range === null) return;
    const last = Math.floor((range.page + range.pages - 1) / NODE_PAGES);
    for (let key = Math.floor(range.page / NODE_PAGES); key <= last; key++)
      this.#count(this.#fold.memory(), key);
  }

  counts(): Counts {
    const { charged, counters } = this.#fold.memory();
    return {
      'JIT memory charged': charged,
      'executable pages': this.#executable,
      'pages that may be executable': this.#unknown,
      'direct map splits to 4K': counters.level2Splits,
      'direct map splits to 2M': counters.level3Splits,
    };
  }
}
