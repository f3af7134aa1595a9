// `npm test` after `ready` (which has checked the types): format, lint, tests. Stops at the first stage that fails; the last
// line is always `N passed, M failed`.
import { spawn, spawnSync } from 'node:child_process';
import { root, tool } from './root.js';

const CLOSING = /^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$/;

/** Runs mocha, passing its output on; its exit code and last line. */
function mocha() {
  const colour = process.stdout.isTTY ? ['--color'] : [];
  const child = spawn(tool('mocha'), colour, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let tail = '';
  child.stdout.on('data', (bytes) => {
    process.stdout.write(bytes);
    tail = (tail + bytes.toString('latin1')).slice(-200);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? 1, last: tail.trimEnd().split('\n').at(-1) }));
  });
}

async function check() {
  for (const { stage, name, args } of [
    { stage: 'format', name: 'prettier', args: ['--check', '.'] },
    { stage: 'lint', name: 'oxlint', args: [] },
  ]) {
    if (spawnSync(tool(name), args, { cwd: root, stdio: 'inherit' }).status !== 0) {
      console.log(`${stage} failed\n0 passed, 1 failed`);
      return 1;
    }
  }
  const { code, last } = await mocha();
  const closing = CLOSING.exec(last);
  const consistent = closing !== null && (code === 0) === (closing[2] === '0');
  if (!consistent) console.log(`mocha ended with ${code}\n${closing?.[1] ?? 0} passed, 1 failed`);
  return consistent ? code : code || 1;
}

process.exitCode = await check();
