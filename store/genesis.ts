import { fail, ok, type Result } from '../core/value/failure.js';
import { genesisRoot } from './chain.js';
import { unpack } from './codec.js';
import { row, type Connection } from './connection.js';
import { select } from './query.js';
import type { TraceKey } from './trace-key.js';

const SELECT = select(
  { name: 'text', meta: 'text', root: 'hash', size: 'integer', codec: 'integer', genesis: 'blob' },
  'SELECT name, meta, root, size, codec, genesis FROM traces WHERE id = ?',
);

/** What was known before the first event, checked against the hash the chain hangs on. */
export function readGenesis(c: Connection, trace: TraceKey): Result<Uint8Array> {
  const found = row(c, SELECT, trace.id);
  if (found === undefined) return fail('no-such-trace', `the trace ${trace.name} has been removed`, c.file);
  const bytes = unpack({ codec: found.codec, size: found.size, bytes: found.genesis });
  return bytes !== null && genesisRoot(found.name, found.meta, bytes).equals(found.root)
    ? ok(bytes)
    : fail(
        'damaged',
        `the genesis of trace ${trace.name} is not what was written`,
        c.file,
        'import it again',
      );
}
