import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { format } from 'prettier';
import { withRulesTable } from '../../replay/audit/rulesTable.js';
import { projectRoot } from '../traces/recordings.js';

describe('docs/audit.md', () => {
  it('lists the rules as they are (node scripts/rules-doc.js writes them)', async () => {
    const page = readFileSync(join(projectRoot(), 'docs', 'audit.md'), 'utf8');
    const options = JSON.parse(readFileSync(join(projectRoot(), '.prettierrc.json'), 'utf8')) as object;
    expect(withRulesTable(page)).to.include('| I1 |');
    expect(await format(withRulesTable(page), { ...options, parser: 'markdown' })).to.equal(page);
  });
});
