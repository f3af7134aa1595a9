/** What speaks for an explanation, what against it, and what is not known. */
export type Verdict = 'for' | 'against' | 'unknown';

export interface Evidence {
  readonly verdict: Verdict;
  readonly text: string;
  /** Events of the trace that show it. */
  readonly events: readonly number[];
}

const made =
  (verdict: Verdict) =>
  (text: string, ...events: readonly number[]): Evidence => ({ verdict, text, events });

export const speaksFor = made('for');
export const speaksAgainst = made('against');
export const notKnown = made('unknown');

/** fits: nothing decisive is missing and more speaks for it than against. possible: something decisive is not known. out: something decisive speaks against it. */
export type Fit = 'fits' | 'possible' | 'out';

export interface Weighed {
  readonly fit: Fit;
  /** Weight that speaks for it, less what speaks against it, of all that could: −1 to 1. */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

/** Least share of the weight for which something fits. */
const ENOUGH = 0.5;

/** Weighs answers, each with the weight of its question. */
export const weigh = (
  answers: readonly { readonly weight: number; readonly decisive: boolean; readonly evidence: Evidence }[],
): Weighed => {
  let sum = 0;
  let all = 0;
  let fit: Fit = 'fits';
  for (const { weight, decisive, evidence } of answers) {
    all += weight;
    if (evidence.verdict === 'for') sum += weight;
    if (evidence.verdict === 'against') sum -= weight;
    if (decisive && evidence.verdict === 'against') fit = 'out';
    if (decisive && evidence.verdict === 'unknown' && fit === 'fits') fit = 'possible';
  }
  const score = all === 0 ? 0 : sum / all;
  return {
    fit: fit === 'fits' && score < ENOUGH ? 'possible' : fit,
    score,
    evidence: answers.map(({ evidence }) => evidence),
  };
};
