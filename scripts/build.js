import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, tool } from './root.js';

const dist = join(root, 'dist');
const OUTPUT = /\.(?:js|js\.map|d\.ts)$/;

/** Removes what was built from sources that are gone: a renamed test must not go on running under its old name. */
function removeOrphans() {
  if (!existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true })) {
    if (OUTPUT.test(file) && !existsSync(join(root, file.replace(OUTPUT, '.ts')))) rmSync(join(dist, file));
  }
}

/** Compiles what has changed (tsc is incremental); true when there is no type error. */
export function build() {
  removeOrphans();
  return spawnSync(tool('tsc'), [], { cwd: root, stdio: 'inherit' }).status === 0;
}
