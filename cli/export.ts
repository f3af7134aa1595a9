import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import { detailText } from '../replay/eventText.js';
import type { TraceView } from '../replay/log.js';
import { grouped, percent } from '../replay/numbers.js';
import type { ExportedTrace, ExportWriter } from '../traces/export/exportWriter.js';
import type { Context } from './console/context.js';
import { progress } from './console/progress.js';
import { withSink, type Sink } from './console/sink.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, oneOf, text } from './program/values.js';

const FORMATS = ['jsonl', 'csv', 'parquet', 'perfetto'] as const;
type Format = (typeof FORMATS)[number];

const exportedTrace = ({ info, kernel, arch }: TraceView): ExportedTrace => {
  const origin = info.meta['origin'];
  return {
    name: info.name,
    kernel,
    arch,
    origin: typeof origin === 'string' && origin !== '' ? origin : null,
    events: info.events,
    root: info.root,
  };
};

/** Each format is loaded when it is asked for. */
async function writerOf(format: Format, trace: TraceView): Promise<Result<ExportWriter>> {
  switch (format) {
    case 'jsonl':
      return ok((await import('../traces/export/jsonl.js')).jsonl());
    case 'csv':
      return ok((await import('../traces/export/csv.js')).csv());
    case 'parquet':
      return ok((await import('../traces/export/parquet.js')).parquet(exportedTrace(trace)));
    case 'perfetto': {
      const start = trace.start();
      if (!start.ok) return start;
      const { perfetto } = await import('../traces/export/perfetto.js');
      return ok(perfetto(exportedTrace(trace), { start: start.value, detail: detailText }));
    }
  }
}

/** Writes events in a format; how many. */
async function writeEvents(
  context: Context,
  trace: TraceView,
  writer: ExportWriter,
  sink: Sink,
  withGiven: boolean,
): Promise<Result<number>> {
  const shown = progress(context);
  const { name, events: all } = trace.info;
  let count = 0;
  try {
    for (const part of writer.begin()) await sink.write(part);
    for (const batch of trace.batches(withGiven ? {} : { from: 0 })) {
      if (!batch.ok) return batch;
      for (const part of writer.add(batch.value)) await sink.write(part);
      count += batch.value.length;
      shown.at(() => `exporting ${name}: ${percent(count, all)}`);
    }
    for (const part of writer.end()) await sink.write(part);
    return ok(count);
  } finally {
    shown.end();
  }
}

export const exportCommand = command({
  about:
    'Writes the events of a trace: as JSON Lines or CSV (docs/events.md says what they hold), as Parquet for DuckDB and others, or as a picture over ' +
    'time for the Perfetto UI (docs/export.md). A file appears under its name only when it is complete.',
  arguments: [['<trace>', 'name of the trace']],
  options: [
    ['--format <format>', `${FORMATS.join(', ')} (default: jsonl)`],
    ['-o, --output <file>', 'write to this file (default: standard output)'],
    ['--given', 'begin with what the starting dump gave, as events number 0 (not for perfetto)'],
  ],
  examples: [
    { line: 'pagetrail export S1 --format jsonl -o S1.jsonl', does: 'all events in a file' },
    {
      line: 'pagetrail export S1 | jq -r \'select(.kind == "permission") | .page\'',
      does: 'pages whose permission changed',
    },
    {
      line: 'pagetrail export S1 --format perfetto -o S1.json',
      does: 'calls, changes and counters, to open in https://ui.perfetto.dev',
    },
  ],
  values: v.object({
    trace: text,
    format: v.optional(oneOf(FORMATS), 'jsonl'),
    output: v.optional(text),
    given: flag,
  }),
  run: (context, { trace, format, output, given: withGiven }) =>
    readingLog(context, async (log) => {
      const toFile = output !== undefined && output !== '-';
      if (format === 'perfetto' && withGiven)
        return fail(
          'bad-use',
          'the starting dump has no place in time, so --given is not for perfetto',
          undefined,
          'its counters begin with it anyway: leave --given out',
        );
      if (format === 'parquet' && !toFile && context.stdout.isTTY === true)
        return fail('bad-use', 'a Parquet file is not for a terminal', undefined, 'give a file: -o FILE');
      const view = log.trace(trace);
      if (!view.ok) return view;
      const writer = await writerOf(format, view.value);
      if (!writer.ok) return writer;
      const written = await withSink(context, output, (sink) =>
        writeEvents(context, view.value, writer.value, sink, withGiven),
      );
      if (!written.ok) return written;
      if (toFile) {
        if (context.settings.json) context.printJson({ trace, file: output, format, events: written.value });
        else context.remark(`${grouped(written.value)} events in ${output}`);
      }
      return ok(Exit.nothing);
    }),
});
