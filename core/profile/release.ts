/** Release that a profile is named after, as a number that can be compared: 5.18-rc3 gives 518, 6.12 gives 612. */
export const releaseOf = ({ name }: { readonly name: string }): number => {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(name) ?? [];
  return Number(major ?? 0) * 100 + Number(minor ?? 0);
};
