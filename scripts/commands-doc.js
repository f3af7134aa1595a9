// Writes docs/commands.md from the commands themselves. Run it after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { commandsReference } from '../dist/cli/program/reference.js';
import { root } from './root.js';

const options = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'));
const text = await format(await commandsReference(), { ...options, parser: 'markdown' });
writeFileSync(join(root, 'docs', 'commands.md'), text);
