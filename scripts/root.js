import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** A tool installed by npm. */
export const tool = (name) => join(root, 'node_modules', '.bin', name);
