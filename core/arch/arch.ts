/** What an architecture brings to the kernel functions. One file an architecture, data and small functions only. */
export interface Arch {
  readonly name: string;
  /** Page size in bytes. */
  readonly pageSize: number;
  /** log2 of the leaf sizes, smallest first. */
  readonly leafShifts: readonly number[];
  /** Repeated 32-bit word of the JIT's fill. */
  readonly trap: number;
  /** Alignment of the code in its chunk, in bytes. */
  readonly codeAlignment: number;
  /** Pages that one __text_poke may touch; 0: any number. */
  readonly pokePages: number;
  /** Instruction fetches see stores at once; where they do not, code is flushed from the caches before it is used. */
  readonly coherentFetch: boolean;
  /** Range of the areas that BPF images come from: first page and the page after the last. */
  readonly moduleRange: (kaslr: boolean) => readonly [number, number];
  /** Where the direct map of an emulation begins (page number). */
  readonly directBase: number;
  /** Address of struct page 0 in an emulation, 32-bit halves; a struct page has 64 bytes. */
  readonly vmemmap: { readonly hi: number; readonly lo: number };
}
