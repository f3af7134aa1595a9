/** Who wants to see what: rules and what goes along with them, by function and by kind of event, so that an event meets only those that want it. */
import type { OpenCall } from './calls.js';
import type { Watch } from './rule.js';

type Handler = (event: never) => void;
type ReturnHandler = (event: never, call: OpenCall | null) => void;

/** Those of a function. */
export interface OfFunction {
  readonly entered: readonly Handler[];
  readonly returned: readonly ReturnHandler[];
}

/** Those of a kind of event, before and after it changes memory. */
export interface OfKind {
  readonly before: readonly Handler[];
  readonly after: readonly Handler[];
}

export interface Listeners {
  readonly ofFunction: (fn: string) => OfFunction;
  readonly ofKind: (kind: string) => OfKind;
  readonly each: readonly NonNullable<Watch['each']>[];
  readonly ended: readonly NonNullable<Watch['ended']>[];
  readonly rootEnded: readonly NonNullable<Watch['rootEnded']>[];
}

const NO_ONE: readonly never[] = [];
const NO_KIND: OfKind = { before: NO_ONE, after: NO_ONE };

const gather = <H>(handlers: readonly (object | undefined)[]): ReadonlyMap<string, readonly H[]> => {
  const into = new Map<string, H[]>();
  for (const own of handlers)
    for (const [name, handler] of Object.entries(own ?? {}) as [string, H][]) {
      const list = into.get(name);
      if (list === undefined) into.set(name, [handler]);
      else list.push(handler);
    }
  return into;
};

const present = <T>(list: readonly (T | undefined)[]): readonly T[] =>
  list.filter((one) => one !== undefined);

/** In the order of the watches. */
export const listenersOf = (watches: readonly Watch[]): Listeners => {
  const entered = gather<Handler>(watches.map((watch) => watch.entered));
  const returned = gather<ReturnHandler>(watches.map((watch) => watch.returned));
  const before = gather<Handler>(watches.map((watch) => watch.before));
  const after = gather<Handler>(watches.map((watch) => watch.after));
  const kinds = new Map(
    [...before.keys(), ...after.keys()].map((kind): [string, OfKind] => [
      kind,
      { before: before.get(kind) ?? NO_ONE, after: after.get(kind) ?? NO_ONE },
    ]),
  );
  return {
    ofFunction: (fn) => ({ entered: entered.get(fn) ?? NO_ONE, returned: returned.get(fn) ?? NO_ONE }),
    ofKind: (kind) => kinds.get(kind) ?? NO_KIND,
    each: present(watches.map((watch) => watch.each)),
    ended: present(watches.map((watch) => watch.ended)),
    rootEnded: present(watches.map((watch) => watch.rootEnded)),
  };
};
