import { writeSync } from 'node:fs';
import { openStore, type NewSegment } from '../../store/index.js';
import { must, TRACES } from '../log.js';
import { secondsOf } from '../timing.js';

export interface CrashInput {
  /** A log to take segments from. */
  readonly from: string;
  /** The log that is written. */
  readonly file: string;
}

const STDOUT = 1;
const GROUP = 4;

/** Copies segment after segment and says on standard output, line by line, up to which event the copy is on the disk. To be killed. */
export const copySegments = ({ from, file }: CrashInput): null => {
  const source = must(openStore(from, { readonly: true }));
  const store = must(openStore(file));
  const log = must(store.createTrace({ name: 'bench', meta: {}, genesis: new Uint8Array() }));
  let group: NewSegment[] = [];
  const flush = (): void => {
    must(log.appendAll(group));
    const last = group.at(-1);
    if (last !== undefined) writeSync(STDOUT, `${last.first + last.count - 1}\n`);
    group = [];
  };
  for (const segment of must(source.trace(TRACES[0])).segments()) {
    group.push(must(segment));
    if (group.length === GROUP) flush();
  }
  flush();
  store.close();
  source.close();
  return null;
};

export interface ReopenInput extends CrashInput {
  /** The last event that was said to be on the disk. */
  readonly acknowledged: number;
}

export interface ReopenOutput {
  readonly milliseconds: number;
  readonly events: number;
}

/** Opens a log whose writer was killed: how long that takes. Throws when an acknowledged event is lost or another one was invented. */
export const reopen = ({ from, file, acknowledged }: ReopenInput): ReopenOutput => {
  let opened: ReturnType<typeof openStore> | null = null;
  const milliseconds = secondsOf(() => (opened = openStore(file))) * 1e3;
  const store = must(opened as unknown as ReturnType<typeof openStore>);
  const log = must(store.trace('bench'));
  const { events } = log.info;
  if (events < acknowledged) throw new Error(`${acknowledged} events were acknowledged, ${events} are there`);
  if (!must(store.verify('bench')).intact) throw new Error('the log is damaged');
  const source = must(openStore(from, { readonly: true }));
  const segments = must(source.trace(TRACES[0])).segments();
  for (const segment of log.segments()) {
    const wanted = segments.next().value;
    if (wanted === undefined || Buffer.compare(must(segment).bytes, must(wanted).bytes) !== 0)
      throw new Error(`segment ${must(segment).index} is not what was written`);
  }
  source.close();
  store.close();
  return { milliseconds, events };
};
