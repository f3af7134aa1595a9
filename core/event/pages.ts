import { kindOf, type Common } from './kind.js';

/** Pages became mapped: one leaf size, one permission. */
export interface Mapped extends Common {
  readonly kind: 'mapped';
  readonly page: number;
  readonly pages: number;
  /** log2 of the leaf size in bytes: 12, 16, 21, 30. */
  readonly shift: number;
  /** Prot bits (core/value/prot.ts). */
  readonly prot: number;
  /** First frame: pfn >= 0, or a name < 0 whose physical address is unknown; frames follow each other (names downwards). */
  readonly frame: number;
}
export const Mapped = kindOf<Mapped>()('mapped', 20, 'pages became mapped', {
  page: ['page', 'first virtual page'],
  pages: ['uint', 'how many'],
  shift: ['uint', 'log2 of the leaf size in bytes'],
  prot: ['uint', 'permission bits'],
  frame: ['int', 'first frame: pfn, or a negative name while the physical address is unknown'],
});

export interface Unmapped extends Common {
  readonly kind: 'unmapped';
  readonly page: number;
  readonly pages: number;
}
export const Unmapped = kindOf<Unmapped>()('unmapped', 21, 'pages are no longer mapped', {
  page: ['page', 'first virtual page'],
  pages: ['uint', 'how many'],
});

/** State of direct-map pages as a dump shows it, or as assumed for memory never touched. */
export interface DirectMapped extends Common {
  readonly kind: 'direct-mapped';
  readonly page: number;
  readonly pages: number;
  readonly shift: number;
  readonly prot: number;
}
export const DirectMapped = kindOf<DirectMapped>()(
  'direct-mapped',
  22,
  'state of direct-map pages as given',
  {
    page: ['page', 'first pfn'],
    pages: ['uint', 'how many'],
    shift: ['uint', 'log2 of the leaf size in bytes'],
    prot: ['uint', 'permission bits'],
  },
);

export const Space = Object.freeze({ virtual: 0, direct: 1 });
export type Space = 0 | 1;

/** Permission bits changed. `page` is a virtual page (space 0) or a pfn of the direct map (space 1). */
export interface Permission extends Common {
  readonly kind: 'permission';
  readonly space: number;
  readonly page: number;
  readonly pages: number;
  /** Prot bits that became yes. */
  readonly set: number;
  /** Prot bits that became no. */
  readonly clear: number;
}
export const Permission = kindOf<Permission>()('permission', 23, 'permission bits changed', {
  space: ['uint', '0: virtual pages, 1: direct map by pfn'],
  page: ['page', 'first page'],
  pages: ['uint', 'how many'],
  set: ['uint', 'bits that became yes'],
  clear: ['uint', 'bits that became no'],
});

/** A large leaf became a table of smaller ones. */
export interface Split extends Common {
  readonly kind: 'split';
  readonly space: number;
  readonly page: number;
  readonly from: number;
  readonly to: number;
}
export const Split = kindOf<Split>()('split', 24, 'a large leaf became a table of smaller ones', {
  space: ['uint', '0: virtual pages, 1: direct map by pfn'],
  page: ['page', 'first page of the large leaf'],
  from: ['uint', 'log2 of the leaf size before'],
  to: ['uint', 'log2 of the leaf size after'],
});

export interface Collapsed extends Common {
  readonly kind: 'collapsed';
  readonly space: number;
  readonly page: number;
  readonly from: number;
  readonly to: number;
}
export const Collapsed = kindOf<Collapsed>()('collapsed', 25, 'a table of leaves became one large leaf', {
  space: ['uint', '0: virtual pages, 1: direct map by pfn'],
  page: ['page', 'first page of the large leaf'],
  from: ['uint', 'log2 of the leaf size before'],
  to: ['uint', 'log2 of the leaf size after'],
});

/** Named frames got their physical address: name, name-1, … are pfn, pfn+1, …. */
export interface Identified extends Common {
  readonly kind: 'identified';
  readonly frame: number;
  readonly page: number;
  readonly pages: number;
}
export const Identified = kindOf<Identified>()('identified', 26, 'named frames got their physical address', {
  frame: ['int', 'first name (negative); following names count down'],
  page: ['page', 'pfn of the first'],
  pages: ['uint', 'how many'],
});

/** The frames of a freed area went back to the page allocator. */
export interface FramesReleased extends Common {
  readonly kind: 'frames-released';
  readonly start: number;
}
export const FramesReleased = kindOf<FramesReleased>()(
  'frames-released',
  27,
  'the frames of a freed area went back to the page allocator',
  {
    start: ['page', 'first page of the area they backed'],
  },
);

/** Where the direct map and the array of struct page lie. */
export interface BasesLearned extends Common {
  readonly kind: 'bases-learned';
  /** First page of the direct map; 0: still unknown. */
  readonly direct: number;
  /** Address of struct page 0; 0: still unknown. */
  readonly vmemmap: { readonly hi: number; readonly lo: number };
}
export const BasesLearned = kindOf<BasesLearned>()(
  'bases-learned',
  28,
  'where the direct map and the struct page array lie',
  {
    direct: ['page', 'first page of the direct map; 0: unknown'],
    vmemmap: ['word', 'address of struct page 0; 0: unknown'],
  },
);

/** The leaf size of a direct-map region became known without having changed. */
export interface LeafKnown extends Common {
  readonly kind: 'leaf-known';
  readonly page: number;
  readonly shift: number;
}
export const LeafKnown = kindOf<LeafKnown>()(
  'leaf-known',
  29,
  'the leaf size of a direct-map region became known',
  {
    page: ['page', 'first pfn of the region'],
    shift: ['uint', 'log2 of the leaf size in bytes; 0: no longer known'],
  },
);
