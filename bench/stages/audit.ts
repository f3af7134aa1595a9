import { auditTrace } from '../../replay/audit/audit.js';
import { openLog } from '../../replay/log.js';
import { must, TRACES } from '../log.js';
import { fastest, peakMegabytes } from '../timing.js';

export interface AuditOutput {
  /** Events of the log a second, from the file to the verdicts of all rules. */
  readonly eventsPerSecond: number;
  /** Reading and decoding alone. */
  readonly decodedPerSecond: number;
  readonly peakMegabytes: number;
}

/** All rules over all traces of a log; each trace must be read to its end. */
export const audit = ({ log: file }: { readonly log: string }): AuditOutput => {
  const log = must(openLog(file));
  let events = 0;
  let auditing = 0;
  let reading = 0;
  for (const name of TRACES) {
    const trace = must(log.trace(name));
    events += trace.info.events;
    let audited = 0;
    auditing += fastest(() => {
      audited = must(auditTrace(trace)).events;
    });
    let read = 0;
    reading += fastest(() => {
      read = 0;
      for (const batch of trace.batches({ from: 0 })) read += must(batch).length;
    });
    if (audited !== read) throw new Error(`the audit of ${name} saw ${audited} of ${read} events`);
  }
  log.close();
  return {
    eventsPerSecond: events / auditing,
    decodedPerSecond: events / reading,
    peakMegabytes: peakMegabytes(),
  };
};
