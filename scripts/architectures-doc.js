// Writes the table of docs/architectures.md from the architectures themselves. Run after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { withArchesTable } from '../dist/core/arch/table.js';

const page = new URL('../docs/architectures.md', import.meta.url);
const options = await resolveConfig(page);
writeFileSync(
  page,
  await format(withArchesTable(readFileSync(page, 'utf8')), { ...options, parser: 'markdown' }),
);
