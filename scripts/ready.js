// Makes a checkout ready to run: Node version, dependencies, build. Plain JavaScript and Node's own modules only.
import { nodeTooOld } from '../bin/node-version.js';
import { build } from './build.js';
import { installDependencies } from './dependencies.js';

async function ready() {
  const tooOld = nodeTooOld();
  if (tooOld === null) return (await installDependencies()) && build();
  process.stderr.write(tooOld + '\n');
  return false;
}

process.exitCode = (await ready()) ? 0 : 1;
