import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the recordings that come with pagetrail (this file is two folders deep in the built tree: dist/traces). */
const ROOT = fileURLToPath(new URL('../../traces/bundled', import.meta.url));

/** A capture folder that comes with pagetrail, by name. */
export const bundledRecording = (name: string): string => join(ROOT, name);

/** Names of all of them. */
export const bundledRecordings = (): readonly string[] => readdirSync(ROOT).toSorted();
