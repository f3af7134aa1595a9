/** A small seeded generator (splitmix-style 32-bit mixing): the same seed gives the same numbers everywhere. */
export interface Random {
  /** Integer from 0 to below `bound` (bound up to 2^32). */
  readonly below: (bound: number) => number;
}

export const random = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return { below: (bound) => (bound <= 1 ? 0 : Math.floor((next() / 0x100000000) * bound)) };
};

/** 64 bits of a text as 16 hex digits: stands in for a program's tag where the workload has none. */
export const textHash = (text: string): string => {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193) >>> 0;
    b = Math.imul(b ^ (c + i), 0x85ebca6b) >>> 0;
  }
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
};
