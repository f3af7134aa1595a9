import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { grouped } from '../replay/numbers.js';
import { writing } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

export const remove = command({
  about:
    'Removes a trace and everything derived from it, and overwrites its bytes in the file. A line with its name, length and root hash is left, so ' +
    'that a removal can be told from a loss. This cannot be undone.',
  arguments: [['<trace>', 'name of the trace']],
  options: [],
  examples: [{ line: 'pagetrail remove S1', does: 'the trace S1 is gone' }],
  values: v.object({ trace: text }),
  run: (context, { trace }) =>
    writing(
      context,
      (store) => {
        const removed = store.remove(trace);
        if (!removed.ok) return removed;
        const { name, events, root, erased } = removed.value;
        if (context.settings.json) context.printJson(removed.value);
        else context.print(`removed ${name}: ${grouped(events)} events, root ${root}`);
        if (!erased)
          context.complain(
            'pagetrail: bytes of the trace may still be in the file, another process is reading it. Remove anything again once it is done',
          );
        return ok(Exit.nothing);
      },
      { create: false },
    ),
});
