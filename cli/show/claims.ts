import type { JudgedClaim } from '../../replay/claims/claim.js';
import type { Context } from '../console/context.js';
import { wrapped } from '../console/wrapped.js';

const WIDTH = 100;

const dressOf = (context: Context, verdict: JudgedClaim['verdict']): string => {
  const { style } = context;
  switch (verdict) {
    case 'confirmed':
      return style.good(verdict);
    case 'not shown':
      return style.bad(verdict);
    case 'refuted':
    case 'both':
      return style.odd(verdict === 'both' ? 'refuted and confirmed' : verdict);
    default:
      return style.dim(verdict);
  }
};

const part = (name: string, lines: readonly string[]): readonly string[] =>
  lines.map((line, i) => `    ${(i === 0 ? name : '').padEnd(9)}${line}`);

const told = (context: Context, claim: JudgedClaim): readonly string[] => {
  const room = Math.min(WIDTH, context.stdout.columns ?? WIDTH) - 13;
  const said = (text: string): readonly string[] => wrapped(text, room);
  return [
    `${context.style.bold(claim.id)}  ${dressOf(context, claim.verdict)}`,
    ...part('claim', said(claim.claim)),
    ...part('who', said(`${claim.who}, ${claim.when}`)),
    ...(claim.ran === '' ? [] : part('ran', said(claim.ran))),
    ...part(
      'seen',
      claim.seen.flatMap(({ what, holds }) =>
        said(`${what}${holds ? '' : context.style.bad('  (not as the verdict needs it)')}`),
      ),
    ),
    ...part('because', said(claim.because)),
    ...(claim.grade === null ? [] : part('how sure', [claim.grade])),
    ...part('again', claim.commands),
  ];
};

/** Claims one under the other, and how many of each verdict there are. */
export const claimLines = (context: Context, claims: readonly JudgedClaim[]): readonly string[] => {
  const counts = new Map<string, number>();
  for (const { verdict } of claims) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const sum = [...counts].map(
    ([verdict, count]) => `${count} ${verdict === 'both' ? 'refuted and confirmed' : verdict}`,
  );
  return [
    ...claims.flatMap((claim, i) => (i === 0 ? told(context, claim) : ['', ...told(context, claim)])),
    '',
    sum.join(', '),
  ];
};
