import { fail, ok, type Result } from '../core/value/failure.js';
import { canonicalJson } from './canonical-json.js';
import { run, transact, type Connection } from './connection.js';
import { readHead } from './head.js';
import { headless } from './segments.js';
import type { TraceKey } from './trace-key.js';

/** Marks a trace complete: nothing can be appended any more. A summary given before is replaced. */
export function finishTrace(c: Connection, trace: TraceKey, summary: object): Result<void> {
  const text = canonicalJson(summary);
  if (text === null || !text.startsWith('{')) {
    return fail('bad-summary', `the summary of trace ${trace.name} is not a JSON object`);
  }
  return transact(c, () => {
    const head = readHead(c, trace.id);
    if (head === undefined) return headless(c, trace);
    run(c, 'REPLACE INTO summaries (trace, events, summary) VALUES (?, ?, ?)', trace.id, head.events, text);
    return ok(undefined);
  });
}
