import { statSync } from 'node:fs';
import { openStore } from '../../store/index.js';
import { importTrace } from '../../traces/import/import.js';
import { must } from '../log.js';
import { splitFile } from '../split.js';
import { peakMegabytes } from '../timing.js';

export interface ImportInput {
  /** An ftrace text. */
  readonly text: string;
  /** The log that is made. */
  readonly log: string;
}

export interface ImportOutput {
  readonly megabytesPerSecond: number;
  readonly peakMegabytes: number;
  readonly lines: number;
  readonly events: number;
  /** Share of the call lines that the model predicted. */
  readonly predicted: number;
  readonly divergences: number;
}

const speedOf = async (file: string, work: () => Promise<unknown>): Promise<number> => {
  const start = process.hrtime.bigint();
  await work();
  return (statSync(file).size / Number(process.hrtime.bigint() - start)) * 1e3;
};

/** From the text to a durable log: parse, follow, fold, encode, hash, append. To be run in a process of its own, for its memory. */
export const importText = async ({ text, log }: ImportInput): Promise<ImportOutput> => {
  const store = must(openStore(log));
  let imported: Awaited<ReturnType<typeof importTrace>> | null = null;
  const megabytesPerSecond = await speedOf(text, async () => {
    imported = await importTrace(store, text, { name: 'bench' });
  });
  const { report, result } = must(imported as unknown as Awaited<ReturnType<typeof importTrace>>);
  store.close();
  const { predicted, adopted, foreign, unmodelled } = report.calls;
  return {
    megabytesPerSecond,
    peakMegabytes: peakMegabytes(),
    lines: report.lines,
    events: result.events,
    predicted: predicted / (predicted + adopted + foreign + unmodelled),
    divergences: report.divergences,
  };
};

export interface SplitOutput {
  readonly megabytesPerSecond: number;
  readonly peakMegabytes: number;
}

/** The same bytes through a bare regular expression a line and a key=value split. */
export const splitText = async ({ text }: { readonly text: string }): Promise<SplitOutput> => ({
  megabytesPerSecond: await speedOf(text, () => splitFile(text)),
  peakMegabytes: peakMegabytes(),
});
