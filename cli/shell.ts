import { createInterface, type Interface } from 'node:readline';
import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { failureLine } from './program/failure.js';
import { text } from './program/values.js';
import { COMMAND_NAMES, runLine } from './shell/commands.js';
import { Session } from './shell/session.js';

/** Commands, then markers for goto and diff. */
const completerOf =
  (session: Session) =>
  (line: string): [string[], string] => {
    const words = line.split(' ');
    const last = words.at(-1) ?? '';
    if (words.length <= 1) return [COMMAND_NAMES.filter((name) => name.startsWith(last)), last];
    const markers = session.trace.markers();
    const names = markers.ok ? markers.value.map(({ text: own }) => `#${own.replace(/^phase: /, '')}`) : [];
    return [names.filter((name) => !name.includes(' ') && name.startsWith(last)), last];
  };

function readerOf(session: Session): Interface {
  const { stdin, stdout } = session.context;
  const terminal = stdin.isTTY === true && stdout.isTTY === true;
  return createInterface({
    input: stdin,
    ...(terminal ? { output: stdout, completer: completerOf(session) } : {}),
    terminal,
    historySize: 500,
  });
}

const MOVES = /^\s*(?:step|s|n|back|b)(?:\s|$)/;

/** Reads lines until the end or `quit`. In a pipe each line is shown with its answer, and a mistake ends in exit code 2. */
async function converse(session: Session): Promise<Exit> {
  const { context } = session;
  const { style, settings } = context;
  const interactive = context.stdin.isTTY === true;
  const reader = readerOf(session);
  const prompt = (): void => {
    reader.setPrompt(`${style.name(Session.place(session))}> `);
    if (interactive) reader.prompt();
  };
  let exit: Exit = Exit.nothing;
  prompt();
  let again = '';
  for await (const typed of reader) {
    // As in gdb, an empty line at the prompt goes on stepping.
    const line = typed.trim() === '' && interactive ? again : typed;
    again = MOVES.test(line) ? line : '';
    if (line.trim() !== '') {
      if (!interactive && !settings.json)
        context.print(`${style.name(Session.place(session))}> ${line.trim()}`);
      const answer = runLine(session, line);
      if (!answer.ok) {
        context.complain(failureLine(answer.error));
        exit = interactive ? Exit.nothing : Exit.badUse;
      } else if (answer.value === null) break;
      else if (settings.json) context.print(JSON.stringify(answer.value.json));
      else context.print(...answer.value.lines);
    }
    prompt();
  }
  reader.close();
  return exit;
}

export const shell = command({
  about:
    'Opens a trace to step through, forward and back. The prompt says where one is; help lists the commands: step, back, goto, first, last, state, diff, events, ' +
    'why, history, markers, bookmark. Reads commands from a pipe too.',
  arguments: [['<moment>', 'TRACE, or TRACE@WHERE to begin at (default: its start)']],
  options: [],
  examples: [
    { line: 'pagetrail shell S1', does: 'a session' },
    {
      line: "printf 'goto #loaded8\\nwhy 0xffffffffc0000640\\n' | pagetrail shell S1",
      does: 'the same from a pipe',
    },
  ],
  values: v.object({ moment: text }),
  run: (context, { moment }) =>
    readingLog(context, async (log): Promise<Result<Exit>> => {
      const found = log.moment(moment.includes('@') ? moment : `${moment}@start`);
      if (!found.ok) return found;
      const { cursorOn } = await import('../replay/cursor.js');
      const { trace } = found.value;
      if (trace.info.events === 0) return fail('empty-trace', `trace ${trace.name} has no events`);
      const cursor = cursorOn(trace, found.value.moment.seq);
      if (!cursor.ok) return cursor;
      const session = Session.on(context, trace, cursor.value);
      context.remark(
        `${trace.info.events} events of ${trace.kernel ?? 'an unknown kernel'}; help lists the commands`,
      );
      return ok(await converse(session));
    }),
});
