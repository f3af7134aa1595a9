import * as v from 'valibot';
import { fail, ok } from '../core/value/failure.js';
import { judge } from '../replay/claims/claim.js';
import { CLAIMS } from '../replay/claims/claims.js';
import { labs } from './claims/lab.js';
import { progress } from './console/progress.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { oneOf } from './program/values.js';
import { claimLines } from './show/claims.js';
import { claimsPage } from './show/claimsPage.js';

export const claims = command({
  about:
    'Runs what was said in the thread of April 2022 and around it, and prints for each claim who said it and when, what was run, what was seen, the verdict, and ' +
    'the command that shows the same. Exit code 1: a verdict of the model is not shown by its run.',
  arguments: [['[claims...]', 'C1 to C32 (default: all)']],
  options: [['--format <format>', 'text or markdown (text); --json for JSON']],
  examples: [
    { line: 'pagetrail claims', does: 'all of them' },
    { line: 'pagetrail claims C12 C13', does: 'two of them' },
  ],
  values: v.object({
    claims: v.optional(v.array(v.string()), []),
    format: v.optional(oneOf(['text', 'markdown']), 'text'),
  }),
  run: async (context, { claims: ids, format }) => {
    const wanted = new Set(ids.map((id) => id.toUpperCase()));
    for (const id of wanted)
      if (!CLAIMS.some((claim) => claim.id === id))
        return fail('no-such-claim', `there is no claim ${id}`, undefined, 'claims are C1 to C32');
    const chosen = CLAIMS.filter(({ id }) => wanted.size === 0 || wanted.has(id));
    const lab = await labs();
    const shown = progress(context);
    const judged = chosen.map((claim) => {
      shown.at(() => `running ${claim.id}`);
      return judge(claim, lab);
    });
    shown.end();
    if (context.settings.json) context.printJson({ claims: judged });
    else context.print(...(format === 'markdown' ? claimsPage(judged) : claimLines(context, judged)));
    return ok(judged.some(({ verdict }) => verdict === 'not shown') ? Exit.findings : Exit.nothing);
  },
});
