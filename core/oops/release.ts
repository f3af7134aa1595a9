/** The release of a kernel as `uname -r` prints it: `5.18.0-rc3+`, `6.1.0-50-cloud-amd64`, `6.12.101+deb12-cloud-amd64`. */
export interface Release {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Infinity: no release candidate. */
  readonly rc: number;
}

export const parseRelease = (text: string): Release | null => {
  const found = /^(\d+)\.(\d+)(?:\.(\d+))?(?:-rc(\d+))?/.exec(text);
  if (found === null) return null;
  const [, major, minor, patch = '0', rc] = found;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    rc: rc === undefined ? Infinity : Number(rc),
  };
};

const order = (a: number, b: number): number => (a === b ? 0 : a - b);

const compare = (a: Release, b: Release): number =>
  a.major - b.major || a.minor - b.minor || a.patch - b.patch || order(a.rc, b.rc);

/** Whether a release is at or after `from` and before `below` (either may be null: open). Distributions carry backports: this is a hint. */
export const isWithin = (release: Release, from: string | null, below: string | null): boolean => {
  const low = from === null ? null : parseRelease(from);
  const high = below === null ? null : parseRelease(below);
  return (low === null || compare(release, low) >= 0) && (high === null || compare(release, high) < 0);
};
