import { fail, ok, type Result } from '../core/value/failure.js';
import { canonicalJson } from './canonical-json.js';
import { genesisRoot } from './chain.js';
import { pack } from './codec.js';
import { row, run, transact, type Connection } from './connection.js';
import { writeHead } from './head.js';
import type { ActiveProjections } from './projections.js';
import { select } from './query.js';
import { MAX_GENESIS } from './schema.js';
import type { TraceKey } from './trace-key.js';
import { checkName } from './trace-name.js';

export interface NewTrace {
  readonly name: string;
  /** A JSON object; part of the trace's identity, as are name and genesis. */
  readonly meta: object;
  /** Canonical bytes of what is known before the first event (a starting dump); may be empty. */
  readonly genesis: Uint8Array;
  /** When, in any words; not part of the identity. */
  readonly created?: string;
}

/** Makes a trace, or finds it when it is there already with the same meta and genesis. */
export function createTrace(
  c: Connection,
  wanted: NewTrace,
  projections: ActiveProjections,
): Result<TraceKey> {
  const { genesis } = wanted;
  const name = checkName(wanted.name);
  if (!name.ok) return name;
  const meta = canonicalJson(wanted.meta);
  if (meta === null || !meta.startsWith('{')) {
    return fail(
      'bad-meta',
      `the meta of trace ${name.value} is not a JSON object`,
      undefined,
      'leave out what JSON cannot hold',
    );
  }
  if (genesis.length > MAX_GENESIS) {
    return fail('bad-genesis', `the genesis of trace ${name.value} has more than ${MAX_GENESIS} bytes`);
  }
  const root = genesisRoot(name.value, meta, genesis);
  const packed = pack(genesis);
  return transact(c, () => {
    const known = row(c, KNOWN, name.value);
    if (known !== undefined) {
      return known.root.equals(root) ? ok({ id: known.id, name: name.value }) : otherTrace(c, name.value);
    }
    run(c, INSERT, name.value, wanted.created ?? null, meta, root, packed.size, packed.codec, packed.bytes);
    const { id } = row(c, MADE) ?? { id: 0 };
    writeHead(c, id, { segments: 0, events: 0, size: 0, bytes: 0, root });
    const key = { id, name: name.value };
    projections.start(key, genesis);
    return ok(key);
  });
}

const KNOWN = select({ id: 'integer', root: 'hash' }, 'SELECT id, root FROM traces WHERE name = ?');
const MADE = select({ id: 'integer' }, 'SELECT last_insert_rowid() AS id');
const INSERT =
  'INSERT INTO traces (name, created, meta, root, size, codec, genesis) VALUES (?, ?, ?, ?, ?, ?, ?)';

const otherTrace = (c: Connection, name: string): Result<never> =>
  fail(
    'conflict',
    `a trace ${JSON.stringify(name)} with another beginning is already in this log`,
    c.file,
    'choose another name, or remove that trace first',
  );
