import { profileOf, PROFILES } from '../core/profile/profiles.js';
import type { Profile } from '../core/profile/profile.js';
import { fail, ok, type Result } from '../core/value/failure.js';

/** A profile, and why it is not certain that it is right for the version that was named (null: nothing is uncertain). */
export interface NamedKernel {
  readonly profile: Profile;
  readonly inferred: string | null;
}

/** The profile that a user names, by its name or by a kernel version. */
export const namedKernel = (name: string): Result<NamedKernel> => {
  const found = profileOf(name);
  if (found.profile !== null) return ok(found);
  return fail(
    'unknown-kernel',
    `kernel ${name} is not modelled`,
    undefined,
    found.near.length > 0
      ? `near it: ${found.near.map((p) => `${p.name} (${p.about})`).join(', ')}`
      : `known: ${PROFILES.map((p) => p.name).join(', ')}`,
  );
};
