import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeLog, writePair } from './log.js';
import { audit } from './stages/audit.js';
import { append } from './stages/append.js';
import { copySegments, reopen } from './stages/crash.js';
import { compare } from './stages/compare.js';
import { explore } from './stages/explore.js';
import { fold } from './stages/fold.js';
import { importText, splitText } from './stages/import.js';
import { past } from './stages/past.js';
import { seek } from './stages/seek.js';
import { size } from './stages/size.js';
import { writeText } from './text.js';

const progress = (done: number): void => {
  process.send?.({ progress: done });
};

/** What can be run in a process of its own, so that no measurement is spoilt by what another one left in memory. */
const STAGES = {
  writeLog: (input: { readonly file: string; readonly events: number; readonly live: number }): null => {
    writeLog(input.file, { ...input, onProgress: progress });
    return null;
  },
  writePair: (input: { readonly file: string; readonly events: number; readonly live: number }): null => {
    writePair(input.file, { ...input, onProgress: progress });
    return null;
  },
  writeText: (input: { readonly file: string; readonly bytes: number; readonly live: number }) =>
    writeText(input.file, { ...input, seed: 500, onProgress: progress }),
  append,
  importText,
  splitText,
  fold,
  audit,
  seek,
  past,
  size,
  compare,
  explore,
  copySegments,
  reopen,
};

export type Stages = typeof STAGES;
export type StageName = keyof Stages;
export type StageInput<S extends StageName> = Parameters<Stages[S]>[0];
export type StageOutput<S extends StageName> = Awaited<ReturnType<Stages[S]>>;

const file = fileURLToPath(import.meta.url);

const start = (stage: StageName, input: object) =>
  spawn(process.execPath, [file, stage, JSON.stringify(input)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });

/** Runs a stage in a process of its own. `onProgress` gets what the stage says of how far it is. */
export const runStage = async <S extends StageName>(
  stage: S,
  input: StageInput<S>,
  onProgress: (done: number) => void = () => {},
): Promise<StageOutput<S>> => {
  const child = start(stage, input);
  let output: unknown;
  child.on('message', (message: { readonly progress: number } | { readonly output: unknown }) => {
    if ('progress' in message) onProgress(message.progress);
    else ({ output } = message);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`stage ${stage} failed (${code ?? 'killed'})`);
  return output as StageOutput<S>;
};

/** Starts a stage that says line by line how far it is, and kills it (SIGKILL) some time after its first line. Gives its last whole line. */
export const killStage = async <S extends StageName>(
  stage: S,
  input: StageInput<S>,
  afterMs: number,
): Promise<string> => {
  const child = start(stage, input);
  let said = '';
  let timer: NodeJS.Timeout | null = null;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await once(child, 'close');
  if (timer !== null) clearTimeout(timer);
  return said.split('\n').at(-2) ?? '';
};

const main = async (stage: StageName, input: string): Promise<void> => {
  const output = await (STAGES[stage] as (input: object) => unknown)(JSON.parse(input) as object);
  process.send?.({ output });
  process.disconnect();
};

const [, started, stage, input] = process.argv;
if (started !== undefined && stage !== undefined && input !== undefined && realpathSync(started) === file)
  await main(stage as StageName, input);
