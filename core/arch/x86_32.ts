/** x86-32 with PAE: the page attributes of x86-64, but its JIT takes an area of its own for each function in every version. */
import { oldStyle, withoutPacks } from './oldStyle.js';
import type { Arch } from './arch.js';
import { x86_64 } from './x86_64.js';

export const x86_32: Arch = Object.freeze({
  ...x86_64,
  ...withoutPacks,
  name: 'x86_32',
  leafShifts: [12, 21],
  // Modules share the vmalloc range: 128 MiB below the fixed mappings. Other memory than lowmem has no alias; here all has one.
  moduleRange: () => [0xf8000, 0xffbfe],
  directBase: 0xc0000,
  vmemmap: { hi: 0, lo: 0xf6000000 },
  port: () => ({ ...oldStyle, areaFlags: 0, setsResetFlag: true }),
  signatures: () => '',
} satisfies Arch);
