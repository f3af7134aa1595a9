/** Which profile a kernel version has: by name, or by the range of versions that a profile covers. */
import type { Profile } from './profile.js';

/** Major, minor, patch, release candidate; a release comes after its candidates. */
export type Version = readonly [number, number, number, number];

const RELEASED = 1e6;

/** `6.7`, `v5.18-rc2`, `6.12.101`, `6.4.*` (after all point releases of 6.4); null: not a version. */
export const versionOf = (text: string): Version | null => {
  const m = /^v?(\d+)\.(\d+)(?:\.(\d+|\*))?(?:-rc(\d+))?$/.exec(text);
  if (m === null) return null;
  const patch = m[3] === '*' ? Infinity : Number(m[3] ?? 0);
  return [Number(m[1]), Number(m[2]), patch, m[4] === undefined ? RELEASED : Number(m[4])];
};

const compare = (a: Version, b: Version): number => {
  for (const [i, part] of a.entries()) {
    const other = b[i] as number;
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
};

export const covers = (profile: Profile, version: Version): boolean => {
  const [from, to] = profile.covers?.map(versionOf) ?? [];
  return !!from && !!to && compare(from, version) <= 0 && compare(version, to) <= 0;
};

export type NamedProfile =
  | {
      readonly profile: Profile;
      /** Why it is not certain that this version does the same; null: it is the profile's own name, or was read. */
      readonly inferred: string | null;
    }
  | { readonly profile: null; readonly near: readonly Profile[] };

const lookedAt = (profile: Profile): readonly string[] => [
  ...new Set([...profile.read, ...Object.values(profile.recorded)]),
];

const inferredFor = (profile: Profile, name: string): string => {
  const looked = lookedAt(profile).join(', ');
  return `${name} was not looked at: profile ${profile.name} rests on ${looked || 'commits, mails and its neighbours'}`;
};

/** Profiles just before and just after a version that none covers. */
const nearest = (profiles: readonly Profile[], version: Version): readonly Profile[] => {
  const ranges = profiles.flatMap((profile) => {
    const [from, to] = profile.covers?.map(versionOf) ?? [];
    return from && to ? [{ profile, from, to }] : [];
  });
  const before = ranges.filter(({ to }) => compare(to, version) < 0).toSorted((a, b) => compare(b.to, a.to));
  const after = ranges
    .filter(({ from }) => compare(version, from) < 0)
    .toSorted((a, b) => compare(a.from, b.from));
  return [before[0], after[0]].flatMap((range) => (range === undefined ? [] : [range.profile]));
};

/** The profile with this name, or the one that covers this version; else those just before and after it. */
export const findProfile = (profiles: readonly Profile[], name: string): NamedProfile => {
  const exact = profiles.find((profile) => profile.name === name);
  if (exact !== undefined)
    return { profile: exact, inferred: lookedAt(exact).length === 0 ? inferredFor(exact, name) : null };
  const version = versionOf(name);
  if (version === null) return { profile: null, near: [] };
  const profile = profiles.find((one) => covers(one, version));
  if (profile === undefined) return { profile: null, near: nearest(profiles, version) };
  const known = lookedAt(profile).some((text) => {
    const own = versionOf(text);
    return own !== null && compare(own, version) === 0;
  });
  return { profile, inferred: known ? null : inferredFor(profile, name) };
};
