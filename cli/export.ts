import * as v from 'valibot';
import { eventJson } from '../core/codec/json.js';
import { ok, type Result } from '../core/value/failure.js';
import type { TraceView } from '../replay/log.js';
import type { Context } from './console/context.js';
import { grouped, percent } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { gathered, withSink, type Sink } from './console/sink.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, oneOf, text } from './program/values.js';

/** Writes events as JSON Lines; how many. */
async function writeEvents(
  context: Context,
  trace: TraceView,
  sink: Sink,
  withGiven: boolean,
): Promise<Result<number>> {
  const out = gathered(sink);
  const shown = progress(context);
  const { name, events: all } = trace.info;
  let count = 0;
  try {
    for (const batch of trace.batches(withGiven ? {} : { from: 0 })) {
      if (!batch.ok) return batch;
      for (const event of batch.value) await out.line(JSON.stringify(eventJson(event)));
      count += batch.value.length;
      shown.at(() => `exporting ${name}: ${percent(count, all)}`);
    }
    await out.flush();
    return ok(count);
  } finally {
    shown.end();
  }
}

export const exportCommand = command({
  about:
    'Writes the events of a trace, one a line, as JSON objects (JSON Lines; docs/events.md says what they hold). A file appears under its name only when ' +
    'it is complete.',
  arguments: [['<trace>', 'name of the trace']],
  options: [
    ['--format <format>', 'jsonl: JSON Lines (the only one so far)'],
    ['-o, --output <file>', 'write to this file (default: standard output)'],
    ['--given', 'begin with what the starting dump gave, as events number 0'],
  ],
  examples: [
    { line: 'pagetrail export S1 --format jsonl -o S1.jsonl', does: 'all events in a file' },
    {
      line: 'pagetrail export S1 | jq -r \'select(.kind == "permission") | .page\'',
      does: 'pages whose permission changed',
    },
  ],
  values: v.object({
    trace: text,
    format: v.optional(oneOf(['jsonl']), 'jsonl'),
    output: v.optional(text),
    given: flag,
  }),
  run: (context, { trace, output, given: withGiven }) =>
    readingLog(context, async (log) => {
      const view = log.trace(trace);
      if (!view.ok) return view;
      const written = await withSink(context, output, (sink) =>
        writeEvents(context, view.value, sink, withGiven),
      );
      if (!written.ok) return written;
      if (output !== undefined && output !== '-') {
        if (context.settings.json) context.printJson({ trace, file: output, events: written.value });
        else context.remark(`${grouped(written.value)} events in ${output}`);
      }
      return ok(Exit.nothing);
    }),
});
