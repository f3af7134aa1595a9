import { readFileSync } from 'node:fs';

/** Null when this Node is new enough for package.json's `engines`, else what is wrong and what to do. */
export function nodeTooOld(version = process.versions.node) {
  const manifest = new URL('../package.json', import.meta.url);
  const least = JSON.parse(readFileSync(manifest, 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = least.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return `pagetrail needs Node ${least} or newer, this is ${version}: install a newer one and try again`;
}
