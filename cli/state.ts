import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { stateOf } from '../replay/state.js';
import { stateSections } from '../replay/stateSections.js';
import { grouped } from '../replay/numbers.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, text } from './program/values.js';
import { placeText } from './show/moment.js';
import { sectionLines } from './show/sections.js';

const MOST = 20;

const chargeText = (charged: number | null): string =>
  `JIT memory charged: ${charged === null ? 'not known' : `${grouped(charged)} bytes`}`;

export const state = command({
  about:
    'Shows executable memory at a moment: mappings, the direct map of their pages, vmalloc areas, packs with what lies in them, programs, and what is not known. ' +
    'Pages that the log knows nothing about are left out, never guessed.',
  arguments: [['<moment>', 'TRACE@WHERE: S1@42, S1@#loaded8, S1@6.817602s, S1@start, S1 (its end)']],
  options: [['--all', `all lines of each list (default: the first ${MOST})`]],
  examples: [
    { line: "pagetrail state 'S1@#loaded8'", does: 'after the marker `phase: loaded8`' },
    {
      line: 'pagetrail state S1 --json | jq \'.mappings[] | select(.prot == "rwx")\'',
      does: 'writable and executable at the end',
    },
  ],
  values: v.object({ moment: text, all: flag }),
  run: (context, given) =>
    readingLog(context, (log) => {
      const found = log.moment(given.moment);
      if (!found.ok) return found;
      const { trace, moment } = found.value;
      const memory = trace.at(moment.seq);
      if (!memory.ok) return memory;
      const shown = stateOf(trace, memory.value);
      if (context.settings.json) context.printJson(shown);
      else {
        const place = placeText(trace, moment);
        if (!place.ok) return place;
        const sections = stateSections(shown, memory.value);
        context.print(
          context.style.bold(place.value),
          chargeText(shown.jit_charged),
          '',
          ...sectionLines(context, sections, given.all ? Infinity : MOST),
        );
      }
      return ok(Exit.nothing);
    }),
});
