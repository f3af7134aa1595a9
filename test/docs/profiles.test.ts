import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { format } from 'prettier';
import { withProfileTables } from '../../core/profile/table.js';
import { projectRoot } from '../traces/recordings.js';

describe('docs/profiles.md', () => {
  it('has the profiles as they are (node scripts/profiles-doc.js writes them)', async () => {
    const page = readFileSync(join(projectRoot(), 'docs', 'profiles.md'), 'utf8');
    const options = JSON.parse(readFileSync(join(projectRoot(), '.prettierrc.json'), 'utf8')) as object;
    expect(withProfileTables(page)).to.include('| `6.12`');
    expect(await format(withProfileTables(page), { ...options, parser: 'markdown' })).to.equal(page);
  });
});
