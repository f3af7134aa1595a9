import type { Arch } from './arch.js';
import { arm64, arm64With16K, arm64With64K, arm64WithBlocks } from './arm64.js';
import { ppc64le_4k, ppc64le_64k, ppc64le_rwx } from './ppc64le.js';
import { arm32 } from './arm32.js';
import { loongarch64, loongarch64With4K, loongarch64With64K } from './loongarch64.js';
import { riscv64 } from './riscv64.js';
import { s390x } from './s390x.js';
import { mips, parisc, sparc64 } from './withoutSetMemory.js';
import { x86_32 } from './x86_32.js';
import { x86_64 } from './x86_64.js';

/** All architectures. */
export const ARCHES: readonly Arch[] = [
  x86_64,
  arm64,
  arm64With16K,
  arm64With64K,
  arm64WithBlocks,
  riscv64,
  loongarch64,
  loongarch64With4K,
  loongarch64With64K,
  ppc64le_4k,
  ppc64le_64k,
  ppc64le_rwx,
  s390x,
  x86_32,
  arm32,
  mips,
  parisc,
  sparc64,
];

/** Name of an architecture without the page size, or the kind of processor, that some of its names end with. */
export const familyOf = ({ name }: Pick<Arch, 'name'>): string => name.replace(/-(?:\d+k|bbml2)$/, '');

/** The architecture of a machine that says its name and page size; null: there is none of that name. */
export const archOf = (name: string, pageSize: number | null): Arch | null =>
  ARCHES.find((arch) => familyOf(arch) === name && arch.pageSize === pageSize) ?? archNamed(name);

export const archNamed = (name: string): Arch | null => ARCHES.find((arch) => arch.name === name) ?? null;
