/** What a recording has shown so far: which callees under which callers, and which functions with a return line. */
export interface Visibility {
  /** The pair was recorded at least once. */
  readonly sees: (caller: string, callee: string) => boolean;
  /** Records the pair; returns how often the model had already gone that way unseen. */
  readonly learn: (caller: string, callee: string) => number;
  /** The model goes that way and nothing is recorded. */
  readonly hide: (caller: string, callee: string) => void;
  /** The model went that way and nothing was recorded, each time so far. */
  readonly hides: (caller: string, callee: string) => boolean;
  readonly returns: (fn: string) => boolean;
  readonly learnReturn: (fn: string) => void;
  /** The function ended once without a return line. */
  readonly endedUnseen: (fn: string) => boolean;
  readonly endUnseen: (fn: string) => void;
  readonly hasSeen: (fn: string) => boolean;
}

export const visibility = (): Visibility => {
  const seen = new Map<string, Set<string>>();
  const hidden = new Map<string, Map<string, number>>();
  const returning = new Set<string>();
  const unseen = new Set<string>();
  const functions = new Set<string>();
  return {
    sees: (caller, callee) => seen.get(caller)?.has(callee) ?? false,
    learn: (caller, callee) => {
      let callees = seen.get(caller);
      if (callees?.has(callee) === true) return 0;
      if (callees === undefined) seen.set(caller, (callees = new Set()));
      callees.add(callee);
      functions.add(callee);
      return hidden.get(caller)?.get(callee) ?? 0;
    },
    hide: (caller, callee) => {
      const callees = hidden.get(caller) ?? new Map<string, number>();
      hidden.set(caller, callees.set(callee, (callees.get(callee) ?? 0) + 1));
    },
    hides: (caller, callee) =>
      hidden.get(caller)?.has(callee) === true && seen.get(caller)?.has(callee) !== true,
    returns: (fn) => returning.has(fn),
    learnReturn: (fn) => {
      returning.add(fn);
    },
    endedUnseen: (fn) => unseen.has(fn),
    endUnseen: (fn) => {
      unseen.add(fn);
    },
    hasSeen: (fn) => functions.has(fn),
  };
};
