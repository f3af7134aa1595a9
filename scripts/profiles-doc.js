// Writes the tables of docs/profiles.md from the profiles themselves. Run it after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { withProfileTables } from '../dist/core/profile/table.js';
import { root } from './root.js';

const options = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'));
const path = join(root, 'docs', 'profiles.md');
const text = await format(withProfileTables(readFileSync(path, 'utf8')), { ...options, parser: 'markdown' });
writeFileSync(path, text);
