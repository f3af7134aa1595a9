import { floorIndex } from './sparse.js';

/**
 * What is known of pages, by page number: permission, leaf size, frame and the event that last changed the permission. A node covers
 * 512 pages, as a last-level table does; nodes are copied only when they do not belong to the token of the present batch.
 */
export interface PageTable {
  readonly owner: object | null;
  readonly keys: readonly number[];
  readonly nodes: readonly PageNode[];
}

export interface PageNode {
  owner: object | null;
  /** Pages with an entry. */
  count: number;
  /** Direct map only: leaf shift of this 2M region as far as it is known (0: not known). */
  leaf: number;
  /** Prot bits. */
  readonly prot: Uint8Array;
  /** log2 of the leaf size; 0: no entry; 1: an entry whose leaf size is unknown. */
  readonly shift: Uint8Array;
  /** Virtual: frame (pfn, or name < 0). Direct map: virtual page that it backs, or -1. */
  readonly frame: Float64Array;
  /** seq of the event that last changed prot or leaf size. */
  readonly cause: Float64Array;
  /** Bit 0 (direct map): it backed an executable page at some time. Bit 1 (virtual): mapped by a 2M leaf once, so the frames of its region follow each other. */
  readonly mark: Uint8Array;
}

export const NODE_PAGES = 512;
export const UNKNOWN_SHIFT = 1;
/** Bits of `mark`. */
export const BACKED_EXECUTABLE = 1;
export const LARGE_RUN = 2;

/** What is known of one page. */
export interface PageEntry {
  readonly prot: number;
  readonly shift: number;
  readonly frame: number;
  readonly cause: number;
  readonly mark: number;
}

const emptyNode = (token: object): PageNode => ({
  owner: token,
  count: 0,
  leaf: 0,
  prot: new Uint8Array(NODE_PAGES),
  shift: new Uint8Array(NODE_PAGES),
  frame: new Float64Array(NODE_PAGES).fill(-1),
  cause: new Float64Array(NODE_PAGES),
  mark: new Uint8Array(NODE_PAGES),
});

const copyNode = (node: PageNode, token: object): PageNode => ({
  owner: token,
  count: node.count,
  leaf: node.leaf,
  prot: node.prot.slice(),
  shift: node.shift.slice(),
  frame: node.frame.slice(),
  cause: node.cause.slice(),
  mark: node.mark.slice(),
});

const EMPTY: PageTable = Object.freeze({ owner: null, keys: [], nodes: [] });

interface MutableTable {
  owner: object | null;
  keys: number[];
  nodes: PageNode[];
}

const nodeIndex = (table: PageTable, page: number): number => {
  const high = Math.floor(page / NODE_PAGES);
  const index = floorIndex(table.keys, high);
  return index >= 0 && table.keys[index] === high ? index : -1;
};

export const PageTable = Object.freeze({
  empty: EMPTY,

  /** The node that covers `page`, for reading. */
  node(table: PageTable, page: number): PageNode | undefined {
    const index = nodeIndex(table, page);
    return index < 0 ? undefined : table.nodes[index];
  },

  has(table: PageTable, page: number): boolean {
    const node = PageTable.node(table, page);
    return node !== undefined && node.shift[page % NODE_PAGES] !== 0;
  },

  get(table: PageTable, page: number): PageEntry | null {
    const node = PageTable.node(table, page);
    const slot = page % NODE_PAGES;
    if (node === undefined || node.shift[slot] === 0) return null;
    return {
      prot: node.prot[slot] as number,
      shift: node.shift[slot] as number,
      frame: node.frame[slot] as number,
      cause: node.cause[slot] as number,
      mark: node.mark[slot] as number,
    };
  },

  own(table: PageTable, token: object): PageTable {
    return table.owner === token
      ? table
      : ({ owner: token, keys: table.keys.slice(), nodes: table.nodes.slice() } as PageTable);
  },

  /** A node of an owned table that may be written; made when it does not exist and `create` says so. */
  writable(table: PageTable, token: object, page: number, create: boolean): PageNode | undefined {
    const owned = table as unknown as MutableTable;
    const high = Math.floor(page / NODE_PAGES);
    const at = floorIndex(owned.keys, high);
    if (at >= 0 && owned.keys[at] === high) {
      let node = owned.nodes[at] as PageNode;
      if (node.owner !== token) {
        node = copyNode(node, token);
        owned.nodes[at] = node;
      }
      return node;
    }
    if (!create) return undefined;
    const node = emptyNode(token);
    owned.keys.splice(at + 1, 0, high);
    owned.nodes.splice(at + 1, 0, node);
    return node;
  },

  /** Pages that have an entry, in order, from `start` to before `end`. */
  *pages(table: PageTable, start = 0, end = Infinity): Generator<readonly [number, PageNode, number]> {
    let index = floorIndex(table.keys, Math.floor(start / NODE_PAGES));
    if (index < 0) index = 0;
    for (; index < table.keys.length; index++) {
      const base = (table.keys[index] as number) * NODE_PAGES;
      if (base >= end) return;
      const node = table.nodes[index] as PageNode;
      for (
        let slot = base < start ? Math.min(start - base, NODE_PAGES) : 0;
        slot < NODE_PAGES && base + slot < end;
        slot++
      ) {
        if (node.shift[slot] !== 0) yield [base + slot, node, slot];
      }
    }
  },

  /** Nodes that two tables do not share, by their first page. */
  *changedNodes(
    a: PageTable,
    b: PageTable,
  ): Generator<readonly [number, PageNode | undefined, PageNode | undefined]> {
    let i = 0;
    let j = 0;
    while (i < a.keys.length || j < b.keys.length) {
      const ka = i < a.keys.length ? (a.keys[i] as number) : Infinity;
      const kb = j < b.keys.length ? (b.keys[j] as number) : Infinity;
      const key = Math.min(ka, kb);
      const na = ka === key ? a.nodes[i++] : undefined;
      const nb = kb === key ? b.nodes[j++] : undefined;
      if (na !== nb) yield [key * NODE_PAGES, na, nb];
    }
  },
});
