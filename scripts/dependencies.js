import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

const DOT_EVERY_MS = 5000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Path → entry of every package in a lock file, the project itself left out; null when there is no such file. */
function lockedPackages(file) {
  try {
    const packages = new Map(Object.entries(JSON.parse(readFileSync(join(root, file), 'utf8')).packages));
    packages.delete('');
    return packages;
  } catch {
    return null;
  }
}

/** Why node_modules is not what package-lock.json says; null when it is. Optional packages may be absent. */
function treeDiffers() {
  const wanted = lockedPackages('package-lock.json');
  const installed = lockedPackages('node_modules/.package-lock.json');
  if (wanted === null) return 'package-lock.json cannot be read';
  if (installed === null) return 'not installed yet';
  for (const [path, { version, optional }] of wanted) {
    const present = installed.get(path);
    if (present === undefined && optional) continue;
    if (present?.version !== version || !existsSync(join(root, path, 'package.json')))
      return `${path} differs`;
  }
  for (const path of installed.keys()) if (!wanted.has(path)) return `${path} is not in package-lock.json`;
  return null;
}

/**
 * Why better-sqlite3 does not work; null when it does. An interrupted compilation leaves a tree that looks complete, so a
 * database is opened, in a process of its own: a wrong binary may take its process down.
 */
function sqliteFails() {
  const code = `new (require('better-sqlite3'))(':memory:').close()`;
  const run = spawnSync(process.execPath, ['--input-type=commonjs', '-e', code], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status === 0) return null;
  const line = run.stderr.split('\n').find((text) => text.startsWith('Error')) ?? `ended by ${run.signal}`;
  return `better-sqlite3 does not open a database (${line})`;
}

const whyNot = () => treeDiffers() ?? sqliteFails();

/** Runs `npm ci` in silence but for a dot every five seconds; its exit code (or signal) and output. */
function npmCi() {
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=warn'];
  const [command, before] = npm ? [process.execPath, [npm]] : ['npm', []];
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, [...before, ...args], { cwd: root, stdio, detached: true });
    const dots = setInterval(() => process.stderr.write('.'), DOT_EVERY_MS);
    let output = '';
    const stop = () => process.kill(-child.pid); // with its compiler: two installations at once spoil each other
    for (const signal of SIGNALS) process.once(signal, stop);
    const finish = (code) => {
      clearInterval(dots);
      for (const signal of SIGNALS) process.off(signal, stop);
      process.stderr.write('\n');
      resolve({ code, output });
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('error', (error) => {
      output += error.message;
      finish(1);
    });
    child.on('close', (code, signal) => finish(code ?? signal));
  });
}

/** Installs what package-lock.json says, if it is not there already; true when all is in place. */
export async function installDependencies() {
  const why = whyNot();
  if (why === null) return true;
  process.stderr.write(
    `installing dependencies with npm ci (${why}); better-sqlite3 may compile for two minutes `,
  );
  const { code, output } = await npmCi();
  const still = code === 0 ? whyNot() : `npm ci ended with ${code}`;
  if (still === null) return true;
  process.stderr.write(`${output.trimEnd()}\ndependencies are not in place: ${still}\n`);
  process.stderr.write(
    'compiling needs python3, make and a C++ compiler; npm must be allowed to run scripts\n',
  );
  return false;
}
