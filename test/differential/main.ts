/** `npm run differential -- [--runs N] [--seed S]`: as many random workloads as one likes against the naive models. `--runs 1 --seed S` runs one again. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { cellText, CELLS, runSeed } from './differential.js';
import { parallel } from './parallel.js';

const DEFAULT_RUNS = 20_000;

const number = (text: string | undefined, otherwise: number, name: string): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    console.error(`differential: --${name} is no whole number above 0`);
    process.exit(2);
  }
  return value;
};

const options = (): { readonly runs?: string | undefined; readonly seed?: string | undefined } => {
  try {
    return parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } }).values;
  } catch (error) {
    console.error(`differential: ${(error as Error).message}`);
    return process.exit(2);
  }
};

const values = options();
const runs = number(values.runs, DEFAULT_RUNS, 'runs');
const seed = number(values.seed, 1, 'seed');

if (runs === 1) {
  console.log(`seed ${seed}: ${cellText(seed)}`);
  console.log(`${runSeed(seed)} operations, no difference`);
} else {
  console.log(`seeds ${seed} to ${seed + runs - 1}, ${CELLS.length} combinations of kernel and architecture`);
  const done = await parallel(seed, runs, Math.min(8, availableParallelism()));
  for (const { seed: at, cell, what } of done.differences.slice(0, 20))
    console.log(`seed ${at}, ${cell}: ${what}`);
  for (const [arch, count] of Object.entries(done.by)) console.log(`${arch.padEnd(16)}${count} runs`);
  console.log(`${done.runs} runs, ${done.operations} operations, ${done.differences.length} differences`);
  process.exitCode = done.differences.length === 0 ? 0 : 1;
}
