import * as v from 'valibot';
import { ok, type Result } from '../core/value/failure.js';
import type { SqlAnswer, SqlRow, SqlValue } from '../store/index.js';
import type { Context } from './console/context.js';
import { grouped } from '../replay/numbers.js';
import { table } from './console/table.js';
import { reading } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

/** Rows that a table is laid out from; those after them follow in the same widths or not at all. */
const LAID_OUT = 10_000;

const cellText = (value: SqlValue): string => {
  if (value === null) return 'NULL';
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString('hex')}'` : String(value);
};

/** JSON has no 64-bit integers and no bytes: those beyond 2^53 are decimal text, bytes hex. */
const cellJson = (value: SqlValue): string | number | null => {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
};

async function printJson(context: Context, answer: SqlAnswer): Promise<Result<Exit>> {
  await context.write(`{"columns":${JSON.stringify(answer.columns)},"rows":[`);
  let first = true;
  for (const row of answer.rows) {
    if (!row.ok) return row;
    await context.write(`${first ? '' : ','}\n${JSON.stringify(row.value.map(cellJson))}`);
    first = false;
  }
  await context.write(`${first ? '' : '\n'}]}\n`);
  return ok(Exit.nothing);
}

async function printTable(context: Context, answer: SqlAnswer): Promise<Result<Exit>> {
  let count = 0;
  let page: SqlRow[] = [];
  const numeric = answer.columns.map(() => true);
  const flush = async (): Promise<void> => {
    for (const row of page)
      for (const [i, value] of row.entries())
        if (typeof value === 'string' || value instanceof Uint8Array) numeric[i] = false;
    const lines = table(
      answer.columns.map((name, i) => [name, numeric[i] === true ? 'right' : 'left'] as const),
      page.map((row) => row.map(cellText)),
      context.style.dim,
    );
    page = [];
    if (lines.length > 0) await context.write(`${lines.join('\n')}\n`);
  };
  for (const row of answer.rows) {
    if (!row.ok) return row;
    count++;
    page.push(row.value);
    if (page.length === LAID_OUT) await flush();
  }
  await flush();
  if (count === 0) context.remark('no rows');
  else if (context.showsProgress) context.complain(`${grouped(count)} rows`);
  return ok(Exit.nothing);
}

export const sql = command({
  about:
    "Answers one query; nothing can be changed. event('TRACE', FROM, TO) gives events as rows (seq, time_ns, cpu, task, call, origin, kind, fn, " +
    "address, bytes, detail); addresses are signed 64-bit integers, printf('0x%016x', address) shows them as usual.",
  arguments: [['<query>', 'one SELECT']],
  options: [],
  examples: [
    {
      line: `pagetrail sql "SELECT kind, count(*) FROM event('S1') GROUP BY kind ORDER BY 2 DESC"`,
      does: 'how often each kind of event occurs',
    },
    {
      line: `pagetrail sql "SELECT seq, fn, detail ->> '$.values.size' AS size FROM event('S1') WHERE fn = 'bpf_prog_pack_alloc'"`,
      does: 'a field of an event: detail is JSON',
    },
  ],
  values: v.object({ query: text }),
  run: (context, { query }) =>
    reading(context, async (store) => {
      const answer = store.sql(query);
      if (!answer.ok) return answer;
      try {
        return await (context.settings.json
          ? printJson(context, answer.value)
          : printTable(context, answer.value));
      } finally {
        answer.value.close();
      }
    }),
});
