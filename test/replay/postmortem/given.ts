import { Readable } from 'node:stream';
import type { Event } from '../../../core/event/event.js';
import type { Oops } from '../../../core/oops/oops.js';
import { must } from '../../../replay/failed.js';
import { logOn, type At, type TraceView } from '../../../replay/log.js';
import { postMortem, type PostMortem } from '../../../replay/postmortem/postmortem.js';
import { openStore } from '../../../store/index.js';
import { importTrace } from '../../../traces/import/import.js';
import { readConsole } from '../../../traces/oops/read.js';
import { oopsText } from '../../traces/oops/fixtures.js';
import { logOf } from '../given.js';
import { ARM64_META } from './arm64.js';

const kept = new Map<string, Promise<TraceView>>();

/** The trace that a text or a capture folder makes; what has the same name is read once. */
export const traceOf = (name: string, of: string | (() => string)): Promise<TraceView> => {
  const known = kept.get(name);
  if (known !== undefined) return known;
  const made = (async (): Promise<TraceView> => {
    const store = must(openStore(':memory:'));
    must(
      typeof of === 'string'
        ? await importTrace(store, of, { name })
        : await importTrace(store, '-', { name, stdin: Readable.from([Buffer.from(of())]) }),
    );
    return must(logOn(store).trace(name));
  })();
  kept.set(name, made);
  return made;
};

/** A trace of arm64 events. */
export const armTrace = (events: readonly Event[]): TraceView =>
  must(logOf(events, { name: 'arm64', meta: ARM64_META }).trace('arm64'));

/** The first oops of a text in test/data/oops. */
export const oopsOf = (name: string): Oops => readConsole(oopsText(name)).oopses[0] as Oops;

export const explain = (oops: Oops, trace: TraceView | null, at: At | null = null): PostMortem =>
  must(postMortem(oops, { trace, at, sameText: false }));
