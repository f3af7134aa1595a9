import { isWithin } from '../../../core/oops/release.js';
import { notKnown, speaksAgainst, speaksFor, weigh, type Evidence, type Weighed } from '../evidence.js';
import type { OopsScene, TracedScene } from '../scene.js';

export interface Question {
  readonly weight: number;
  /** Without this the failure is out of the question. */
  readonly decisive?: true;
  /** Null: it does not apply here. */
  readonly ask: (scene: OopsScene) => Evidence | null;
}

/** A failure of kernel-model.md §8.2: what happened on which kernels, and how it is told from others. */
export interface KnownFailure {
  readonly id: string;
  readonly title: string;
  /** Kernels, in words. */
  readonly affected: string;
  /** Commit or subject that ended it; null: none found. */
  readonly fix: string | null;
  /** fault: it makes an access fail. state: it leaves something that should not be, and makes nothing fail by itself. */
  readonly explains: 'fault' | 'state';
  readonly questions: readonly Question[];
}

export const weighFailure = ({ questions }: KnownFailure, scene: OopsScene): Weighed =>
  weigh(
    questions.flatMap(({ weight, decisive, ask }) => {
      const evidence = ask(scene);
      return evidence === null ? [] : [{ weight, decisive: decisive === true, evidence }];
    }),
  );

/** The kernel is one of those affected. A hint only: stable kernels and distributions carry fixes back. */
export const ofKernel = (from: string | null, below: string | null, words: string): Question => ({
  weight: 1,
  ask: ({ oops, release, traced }) => {
    if (release === null) return notKnown('the release of the kernel is not known');
    const name = oops.release ?? traced?.trace.kernel ?? '';
    return isWithin(release, from, below)
      ? speaksFor(`kernel ${name} is among those affected (${words})`)
      : speaksAgainst(`kernel ${name} is not among those affected (${words})`);
  },
});

/** The same, and nothing else would do. */
export const onlyOfKernel = (from: string | null, below: string | null, words: string): Question => ({
  ...ofKernel(from, below, words),
  decisive: true,
});

/** A question that only a trace answers. */
export const traced =
  (ask: (scene: TracedScene, all: OopsScene) => Evidence | null): Question['ask'] =>
  (scene) =>
    scene.traced === null
      ? notKnown('no trace: what happened before is not known')
      : ask(scene.traced, scene);

/** A gap after event `seq`: what was so then need not be so any more. */
export const gapSince = ({ gaps }: TracedScene, seq: number): number | null =>
  gaps.find((gap) => gap.seq > seq)?.seq ?? null;

/** The answer, or that it is not known where events were lost since `seq`. */
export const unlessLost = (scene: TracedScene, seq: number, answer: Evidence): Evidence => {
  const gap = gapSince(scene, seq);
  return gap === null
    ? answer
    : notKnown(`${answer.text}, but events were lost since`, ...answer.events, gap);
};
