#!/usr/bin/env node
// Plain JavaScript, so that it runs before anything is built; loads nothing native before the version check.
import { existsSync } from 'node:fs';
import { nodeTooOld } from './node-version.js';

const BAD_USE = 2;
const INTERNAL = 3;
const SIGPIPE = 141; // what a shell reports for a program that the closed pipe ended

const main = new URL('../dist/cli/main.js', import.meta.url);

function refuse(what) {
  process.stderr.write(what + '\n');
  process.exitCode = BAD_USE;
}

/** Nobody reads the output any more (`| head`): stop at once and in silence. No verdict was reached, so not 0. */
function end(error) {
  if (error.code === 'EPIPE' && error.syscall === 'write') process.exit(process.exitCode ?? SIGPIPE);
  if (error.syscall === 'write' && error.code !== undefined) {
    const why = error.message.replace(/^[A-Z]+: /, '').replace(/, write$/, '');
    process.stderr.write(`pagetrail: writing failed: ${why} (standard output). Check the free space\n`);
    process.exit(BAD_USE);
  }
  process.stderr.write(`pagetrail: internal error\n${error.stack ?? error}\n`);
  process.exit(INTERNAL);
}

const tooOld = nodeTooOld();
if (tooOld !== null) {
  refuse(tooOld);
} else if (!existsSync(main)) {
  refuse('pagetrail is not built yet\nrun this in its folder: npm run ready');
} else {
  process.stdout.on('error', end);
  process.stderr.on('error', end);
  process.on('uncaughtException', end);
  try {
    const cli = await import(main.href);
    process.exitCode = await cli.main(process.argv.slice(2));
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') end(error);
    refuse(`pagetrail is not installed completely: ${error.message}\nrun this in its folder: npm run ready`);
  }
}
