/** Writes BTF, for tests: structures by name with their members, and functions with the names of their arguments. */
export interface MadeStruct {
  readonly name: string;
  readonly kind?: 'struct' | 'union';
  /** Offsets in bits. `type` is the number of a structure written before, from 1; 0: void. `width`: of a bit field. */
  readonly members: readonly (readonly [name: string, bits: number, type?: number, width?: number])[];
}

export interface MadeFunction {
  readonly name: string;
  readonly args: readonly string[];
}

export const madeBtf = (
  structs: readonly MadeStruct[],
  functions: readonly MadeFunction[] = [],
  little = true,
): Uint8Array => {
  const strings: number[] = [0];
  const types: number[] = [];
  const word = (value: number): number[] => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value >>> 0, little);
    return [...bytes];
  };
  const text = (name: string): number => {
    if (name === '') return 0;
    const at = strings.length;
    strings.push(...Buffer.from(`${name}\0`));
    return at;
  };
  const type = (name: string, kind: number, count: number, size: number, flag = 0): void => {
    types.push(...word(text(name)), ...word(((flag << 31) | (kind << 24) | count) >>> 0), ...word(size));
  };
  for (const { name, kind = 'struct', members } of structs) {
    const flag = members.some(([, , , width]) => width !== undefined) ? 1 : 0;
    type(name, kind === 'struct' ? 4 : 5, members.length, 64, flag);
    for (const [member, bits, of = 0, width = 0] of members)
      types.push(...word(text(member)), ...word(of), ...word((width << 24) | bits));
  }
  let id = structs.length;
  for (const { name, args } of functions) {
    type('', 13, args.length, 0);
    for (const arg of args) types.push(...word(text(arg)), ...word(0));
    id++;
    type(name, 12, 0, id);
    id++;
  }
  const magic = little ? [0x9f, 0xeb] : [0xeb, 0x9f];
  return Uint8Array.from([
    ...magic,
    1,
    0,
    ...word(24),
    ...word(0),
    ...word(types.length),
    ...word(types.length),
    ...word(strings.length),
    ...types,
    ...strings,
  ]);
};
