/** A kernel whose calls are made to fail, and what a specification asks of it. */
import { COLUMNS } from './columns.js';
import { factsOfKind } from './drive.js';
import { Scene, type SceneOptions } from './scene.js';

export const EINVAL = -22;
export const ENOMEM = -12;

export interface Faulty {
  readonly scene: Scene;
  /** Functions that fail from now on, with what. */
  readonly faults: Map<string, number>;
}

export const faulty = (kernel: string, options: SceneOptions = {}): Faulty => {
  const faults = new Map<string, number>();
  return { scene: new Scene(kernel, { ...options, fail: (fn) => faults.get(fn) }), faults };
};

/** One program in a pack, so that the next one is not at its start. */
export const withOne = (kernel: string, options?: SceneOptions): Faulty => {
  const given = faulty(kernel, options);
  given.scene.load();
  return given;
};

/** Two programs, of which the first is freed: chunk 0 is next, while the second one runs. */
export const withHoleAtStart = (kernel: string, options?: SceneOptions): Faulty => {
  const given = faulty(kernel, options);
  const first = given.scene.load();
  given.scene.load();
  given.scene.free(first);
  return given;
};

export const used = (scene: Scene): number | undefined => scene.memory.packs[0]?.usedChunks;
export const warnings = (scene: Scene): string[] =>
  factsOfKind(scene.steps, 'warned').map(({ text }) => text);
export const invalidated = (kernel: string): string =>
  (COLUMNS.invalidates as readonly string[]).includes(kernel) ? 'INV(448) ' : '';
