import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot } from './given.js';

describe('docs/events.md', () => {
  it('is what scripts/generate-events.js makes of the kinds', () => {
    const run = spawnSync(process.execPath, [join(projectRoot, 'scripts', 'generate-events.js'), '--check'], {
      encoding: 'utf8',
    });
    expect(run.stderr).to.equal('');
    expect(run.status).to.equal(0);
  });
});
