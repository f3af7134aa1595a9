import { damaged, type Input } from '../codec/input.js';
import type { Output } from '../codec/output.js';
import { NODE_PAGES, PageTable, type PageNode } from './pageTable.js';
import { BYTE, INT, PAGE, UINT, putTable, takeTable } from './table.js';

/** Regions of which something is known: their leaf size, and how many pages of them follow. */
const NODES = { key: UINT, leaf: BYTE, pages: UINT };
const ENTRIES = { page: PAGE, shift: BYTE, prot: BYTE, frame: INT, cause: UINT, mark: BYTE };

interface Entry {
  readonly page: number;
  readonly node: PageNode;
  readonly slot: number;
}

export const putPages = (out: Output, table: PageTable): void => {
  const nodes: { readonly key: number; readonly node: PageNode }[] = [];
  const entries: Entry[] = [];
  for (const [index, node] of table.nodes.entries()) {
    if (node.count === 0 && node.leaf === 0) continue;
    const key = table.keys[index] as number;
    nodes.push({ key, node });
    for (let slot = 0; slot < NODE_PAGES; slot++)
      if (node.shift[slot] !== 0) entries.push({ page: key * NODE_PAGES + slot, node, slot });
  }
  putTable(out, NODES, nodes, {
    key: ({ key }) => key,
    leaf: ({ node }) => node.leaf,
    pages: ({ node }) => node.count,
  });
  putTable(out, ENTRIES, entries, {
    page: ({ page }) => page,
    shift: ({ node, slot }) => node.shift[slot] as number,
    prot: ({ node, slot }) => node.prot[slot] as number,
    frame: ({ node, slot }) => node.frame[slot] as number,
    cause: ({ node, slot }) => node.cause[slot] as number,
    mark: ({ node, slot }) => node.mark[slot] as number,
  });
};

export const takePages = (input: Input, owner: object | null): PageTable => {
  const nodes = takeTable(input, NODES);
  const entries = takeTable(input, ENTRIES);
  const token = owner ?? {};
  const table = PageTable.own(PageTable.empty, token);
  let at = 0;
  nodes.key.forEach((key, i) => {
    const node = PageTable.writable(table, token, key * NODE_PAGES, true) as PageNode;
    node.leaf = nodes.leaf[i] as number;
    node.count = nodes.pages[i] as number;
    const end = at + node.count;
    for (; at < end; at++) {
      const slot = (entries.page[at] ?? 0) - key * NODE_PAGES;
      if (!(slot >= 0 && slot < NODE_PAGES)) damaged(input, 'a page is not where its region is');
      node.shift[slot] = entries.shift[at] as number;
      node.prot[slot] = entries.prot[at] as number;
      node.frame[slot] = entries.frame[at] as number;
      node.cause[slot] = entries.cause[at] as number;
      node.mark[slot] = entries.mark[at] as number;
    }
  });
  if (at !== entries.page.length) damaged(input, 'pages are left over');
  return table;
};
