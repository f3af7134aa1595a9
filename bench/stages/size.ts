import { statSync } from 'node:fs';
import { openLog } from '../../replay/log.js';
import { must } from '../log.js';

/** Bytes an event. */
export interface SizeOutput {
  /** Of the segments as they are kept. */
  readonly segments: number;
  /** Of the segments before they are deflated. */
  readonly raw: number;
  /** Of the closed file: everything. */
  readonly file: number;
}

export const size = ({ log: file }: { readonly log: string }): SizeOutput => {
  const log = must(openLog(file));
  const traces = must(log.traces());
  log.close();
  const sum = (of: (trace: (typeof traces)[number]) => number): number =>
    traces.reduce((total, trace) => total + of(trace), 0);
  const events = sum((trace) => trace.events);
  return {
    segments: sum((trace) => trace.bytes) / events,
    raw: sum((trace) => trace.rawBytes) / events,
    file: statSync(file).size / events,
  };
};
