import { Readable } from 'node:stream';
import { fail, type Result } from '../../core/value/failure.js';
import type { Store } from '../../store/index.js';
import { importTrace, type Imported } from '../import/import.js';
import type { FtraceDump } from './dump.js';

/** Appends the trace that a console log holds, as an import of it would. `release`: of the oops; null: not known. */
export const importDump = async (
  store: Store,
  dump: FtraceDump,
  { name, release }: { readonly name: string; readonly release: string | null },
): Promise<Result<Imported>> =>
  dump.events === 0
    ? fail('no-events', 'the dumped trace holds no event')
    : importTrace(store, '-', {
        name,
        ...(release === null ? {} : { release }),
        stdin: Readable.from([Buffer.from(dump.text)]),
      });
