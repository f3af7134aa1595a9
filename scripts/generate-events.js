// Writes the generated part of docs/events.md from the descriptors of the kinds, after a build. With --check: says whether it is up to
// date, changing nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { EVENT_COLUMNS } from '../dist/core/codec/sql.js';
import { KINDS } from '../dist/core/event/event.js';
import { root } from './root.js';

const file = join(root, 'docs', 'events.md');
const MARK = '<!-- From here on generated';

/** Groups by the tens of their codes. */
const GROUPS = ['Calls', 'Areas', 'Pages', 'Text and caches', 'Packs', 'Programs', 'Trace', 'Snapshots'];
const groupOf = ({ code }) => GROUPS[Math.floor(code / 10)] ?? 'Others';

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function kindText({ kind, code, version, doc, fields, changesMemory }) {
  const head = `### ${kind}\n\nCode ${code}, version ${version}: ${doc}.${changesMemory ? '' : ' Changes no memory.'}`;
  const rows = fields.map(({ name, type, doc: meaning }) => [`\`${name}\``, `\`${type}\``, meaning]);
  return `${head}\n\n${table(['field', 'type', 'meaning'], rows)}`;
}

function generated() {
  const columns = table(
    ['column', 'holds'],
    EVENT_COLUMNS.map(({ name, doc }) => [`\`${name}\``, doc]),
  );
  const groups = [...new Set(KINDS.map(groupOf))].map((group) => {
    const own = KINDS.filter((kind) => groupOf(kind) === group);
    return `## ${group}\n\n${own.map(kindText).join('\n\n')}`;
  });
  return `## Columns in SQL\n\nThe table function \`event(trace, from, to)\` has:\n\n${columns}\n\n${groups.join('\n\n')}\n`;
}

/** The page as it should be, with the part by hand that it has. */
async function page(now) {
  const mark = now.indexOf(MARK);
  if (mark < 0) throw new Error(`${file} has lost its line "${MARK} …"`);
  const byHand = now.slice(0, now.indexOf('\n', mark) + 1);
  return format(`${byHand}\n${generated()}`, { ...(await resolveConfig(file)), filepath: file });
}

const now = readFileSync(file, 'utf8');
const wanted = await page(now);
if (now !== wanted) {
  if (process.argv.includes('--check')) {
    console.error('docs/events.md is out of date: run `npm run build && node scripts/generate-events.js`');
    process.exitCode = 1;
  } else writeFileSync(file, wanted);
}
