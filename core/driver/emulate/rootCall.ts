import type { Args, KernelFunction } from '../../kernel/request.js';
import type { Runner } from './machine.js';
import { NO_SITUATION, type Situation } from './policies.js';

/** A root call that an operation asks its driver to make, and what the operation decides inside it. */
export interface RootCall {
  readonly who: Runner;
  readonly fn: KernelFunction;
  readonly args: Args;
  readonly situation: Situation;
}

/** An operation under way: asks for one root call after the other, and goes on with their results. */
export type Operation<R = void> = Generator<RootCall, R, unknown>;

/** Makes one root call. */
export const root = function* <A extends Args, R>(
  who: Runner,
  fn: KernelFunction<A, R>,
  args: A,
  situation: Partial<Situation> = {},
): Operation<R> {
  const result = yield {
    who,
    fn: fn as unknown as KernelFunction,
    args,
    situation: { ...NO_SITUATION, ...situation },
  };
  return result as R;
};
