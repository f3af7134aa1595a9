import type { JudgedClaim } from '../../replay/claims/claim.js';

const verdictText = (verdict: JudgedClaim['verdict']): string =>
  verdict === 'both' ? 'refuted and confirmed' : verdict;

const escaped = (text: string): string => text.replaceAll(/([<>|*_`\\])/g, String.raw`\$1`);

const section = (claim: JudgedClaim): readonly string[] => [
  `## ${claim.id}: ${verdictText(claim.verdict)}`,
  '',
  `> ${escaped(claim.claim)}`,
  '>',
  `> ${escaped(claim.who)}, ${escaped(claim.when)}`,
  '',
  ...(claim.ran === '' ? [] : [`Run: ${escaped(claim.ran)}.`, '', 'Seen:', '']),
  ...claim.seen.map(
    ({ what, holds }) => `- ${escaped(what)}${holds ? '' : ' (not as the verdict needs it)'}`,
  ),
  ...(claim.seen.length === 0 ? [] : ['']),
  `${escaped(claim.because.charAt(0).toUpperCase() + claim.because.slice(1))}.${claim.grade === null ? '' : ` How sure the model is of these kernels: ${claim.grade}.`}`,
  ...(claim.commands.length === 0 ? [] : ['', ...claim.commands.map((line) => `    ${line}`)]),
  '',
];

/** All claims as a page of Markdown: docs/claims.md. */
export const claimsPage = (claims: readonly JudgedClaim[]): readonly string[] => [
  '# What was said, and what a run shows',
  '',
  'Claims of the thread "[PATCH bpf v2 0/3] bpf: invalidate unused part of bpf_prog_pack" (April 2022) and its neighbours, in our words, each held against',
  'runs of the emulator. This page is the output of `pagetrail claims --format markdown`; a test fails when a verdict changes. What is sure is said with each claim: no',
  'failing call is in any recording, so no run with `--fail` is better than read in source.',
  '',
  '| claim | verdict | in short |',
  '| --- | --- | --- |',
  ...claims.map(
    ({ id, verdict, claim }) =>
      `| [${id}](#${id.toLowerCase()}-${verdictText(verdict).replaceAll(' ', '-')}) | ${verdictText(verdict)} | ${escaped(claim)} |`,
  ),
  '',
  ...claims.flatMap(section),
];
