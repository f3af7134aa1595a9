import type { Arch } from './arch.js';
import { x86_64 } from './x86_64.js';

/** All architectures. */
export const ARCHES: readonly Arch[] = [x86_64];

export const archNamed = (name: string): Arch | null => ARCHES.find((arch) => arch.name === name) ?? null;
