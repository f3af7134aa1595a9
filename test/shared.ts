import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder `shared` beside the checkout (recordings of real kernels); null where there is none. */
export const sharedDir = (): string | null => {
  for (let at = fileURLToPath(new URL('.', import.meta.url)); ; at = join(at, '..')) {
    if (existsSync(join(at, 'package.json'))) {
      const shared = join(at, '..', 'shared');
      return existsSync(shared) ? shared : null;
    }
    if (join(at, '..') === at) return null;
  }
};

/** Capture folders of the shared recordings, sorted; empty where there are none. */
export const captures = (): readonly string[] => {
  const shared = sharedDir();
  const root = shared === null ? null : join(shared, 'captures');
  if (root === null || !existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'meta.json')))
    .map((entry) => join(root, entry.name))
    .sort();
};
