import { KERNELS_5 } from './kernels5.js';
import { KERNELS_6 } from './kernels6.js';
import { KERNELS_7 } from './kernels7.js';
import type { Profile } from './profile.js';
import { findProfile, type NamedProfile } from './versions.js';

/** All profiles, oldest first. */
export const PROFILES: readonly Profile[] = [...KERNELS_5, ...KERNELS_6, ...KERNELS_7];

export const profileNamed = (name: string): Profile | null =>
  PROFILES.find((profile) => profile.name === name) ?? null;

/** The profile of a kernel that is named by a profile or by a version. */
export const profileOf = (name: string): NamedProfile => findProfile(PROFILES, name);
