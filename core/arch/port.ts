import { variant, type Profile } from '../profile/profile.js';
import type { Arch } from './arch.js';

/**
 * The kernel of a profile as an architecture runs it: profiles are written for x86-64, a port changes what that architecture does otherwise. The same
 * profile and architecture give the same object; a ported profile is left as it is.
 */
export const portOf = (profile: Profile, arch: Arch): Profile => {
  if (profile.arch === arch.name) return profile;
  let ports = PORTS.get(profile);
  if (ports === undefined) PORTS.set(profile, (ports = new Map<string, Profile>()));
  let port = ports.get(arch.name);
  if (port === undefined)
    ports.set(arch.name, (port = variant(profile, { ...arch.port(profile), arch: arch.name })));
  return port;
};

const PORTS = new WeakMap<Profile, Map<string, Profile>>();

/** A kernel whose JIT takes its memory from packs on an architecture that did not do so: what was feared in April 2022 (`--pack --force`). */
export const packForced = (profile: Profile, arch: Arch): Profile => {
  const ported = portOf(profile, arch);
  return ported.allocator === 'pack' || profile.allocator !== 'pack'
    ? ported
    : variant(ported, { allocator: 'pack', chargeUnit: profile.chargeUnit });
};
