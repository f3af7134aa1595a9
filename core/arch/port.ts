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

/** What never was on an architecture, and is asked for all the same (`--force`). */
export interface Forced {
  /** The JIT takes its memory from packs. */
  readonly pack?: boolean;
  /** Areas of BPF lie on large leaves where their size allows it. */
  readonly huge?: boolean;
}

/** A kernel on an architecture with what was feared in April 2022: packs where its JIT has none, large leaves under them. */
export const forcedPort = (profile: Profile, arch: Arch, { pack = false, huge = false }: Forced): Profile => {
  const ported = portOf(profile, arch);
  const packs =
    !pack || ported.allocator === 'pack' || profile.allocator !== 'pack'
      ? ported
      : variant(ported, { allocator: 'pack', chargeUnit: profile.chargeUnit });
  return huge ? variant(packs, { hugeVmalloc: 'opt-in', asksHuge: true }) : packs;
};
