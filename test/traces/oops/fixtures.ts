import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the oops texts (this file is three folders deep in the built tree: dist/test/traces/oops). */
const FOLDER = fileURLToPath(new URL('../../../../test/data/oops', import.meta.url));

export const oopsPath = (name: string): string => join(FOLDER, `${name}.txt`);
export const oopsText = (name: string): string => readFileSync(oopsPath(name), 'utf8');
