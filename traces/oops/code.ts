import type { CodePlace, TraceEntry } from '../../core/oops/oops.js';

const HEX = '(?:0x)?([0-9a-f]{8,16})';
const SYMBOL = /^([\w.$]+)\+(0x[0-9a-f]{1,8})\/(0x[0-9a-f]{1,8})(?:\s+\[([\w-]+)[^\]]*\])?/;
const OLD = new RegExp(`^\\[<${HEX}>\\](?:\\s+\\[<[0-9a-f]+>\\])?\\s*(.*)$`);
const BARE = new RegExp(`^${HEX}(?=\\s|$|/)`);

/** `sym+0x1f/0x60 [module]`, `0xffffffffc0000664`, or the old `[<ffffffffc0000664>] sym+0x1f/0x60`; null for anything else. */
export const codePlace = (given: string): CodePlace | null => {
  const text = given.trim();
  const old = OLD.exec(text);
  const address = old === null ? null : BigInt(`0x${old[1]}`);
  const rest = old === null ? text : (old[2] as string);
  const named = SYMBOL.exec(rest);
  if (named !== null) {
    const [, symbol = '', offset = '', size = '', module] = named;
    return { address, symbol, offset: Number(offset), size: Number(size), module: module ?? null };
  }
  if (address !== null) return { address, symbol: null, offset: 0, size: null, module: null };
  const bare = BARE.exec(text);
  return bare === null
    ? null
    : { address: BigInt(`0x${bare[1]}`), symbol: null, offset: 0, size: null, module: null };
};

/** A line of a call trace; `? ` marks what merely lay on the stack. */
export const traceEntry = (text: string): TraceEntry | null => {
  const found = /^\s*(?:\[<[0-9a-f]+>\]\s*)?(\?\s)?\s*(.*)$/.exec(text);
  const place = found === null ? null : codePlace(found[2] as string);
  return place === null ? null : { ...place, reliable: found?.[1] === undefined };
};
