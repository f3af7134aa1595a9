// Writes the table of rules in docs/audit.md from the rules themselves. Run it after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { withRulesTable } from '../dist/replay/audit/rulesTable.js';
import { root } from './root.js';

const options = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'));
const path = join(root, 'docs', 'audit.md');
const text = await format(withRulesTable(readFileSync(path, 'utf8')), { ...options, parser: 'markdown' });
writeFileSync(path, text);
