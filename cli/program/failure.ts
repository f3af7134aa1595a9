import { isAbsolute, relative } from 'node:path';
import type { Failure } from '../../core/value/failure.js';
import { Exit } from './exit.js';

/** Failures that say that a file is damaged: findings, not bad use. */
const DAMAGE: ReadonlySet<string> = new Set(['corrupt', 'damaged']);

export const exitOf = (failure: Failure): Exit => (DAMAGE.has(failure.code) ? Exit.findings : Exit.badUse);

/** A path below the working directory is easier read from there. */
function shortPath(where: string): string {
  if (!isAbsolute(where)) return where;
  const short = relative(process.cwd(), where);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? where : short;
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ').trim();

/** With a capital, unless it begins with a command, an option or a marker. */
const sentence = (hint: string): string =>
  /^(?:pagetrail\b|\W)/.test(hint) ? hint : `${hint[0]?.toUpperCase() ?? ''}${hint.slice(1)}`;

/** `pagetrail: WHAT (WHERE). HINT`, always one line. */
export function failureLine({ what, where, hint }: Failure): string {
  const at = where === undefined || where === '' ? '' : ` (${shortPath(where)})`;
  const then = hint === undefined || hint === '' ? '' : ` ${sentence(hint)}`;
  return oneLine(`pagetrail: ${what}${at}.${then}`);
}
