import { KINDS, type Event } from '../event/event.js';
import type { Common, Kind } from '../event/kind.js';

/** An event of some version of its kind. */
export type AnyVersion = Common & { readonly kind: string };

/** How an event of one version of a kind becomes one of the next. */
export interface Upcast {
  readonly from: Kind;
  readonly up: (event: never) => AnyVersion;
}

/**
 * The versions of one kind, oldest first. The compiler holds each step to the type that the step before it gave:
 *
 *     lineage<MarkerV1>(markerV1).to<Marker>(Marker, (old) => ({ ...old, colour: 'none' }))
 */
export interface Lineage<E extends AnyVersion> {
  readonly upcasts: readonly Upcast[];
  readonly latest: Kind;
  readonly to: <Next extends AnyVersion>(kind: Kind, up: (event: E) => Next) => Lineage<Next>;
}

const lineageOf = <E extends AnyVersion>(upcasts: readonly Upcast[], latest: Kind): Lineage<E> => ({
  upcasts,
  latest,
  to: <Next extends AnyVersion>(kind: Kind, up: (event: E) => Next) => {
    if (kind.code !== latest.code || kind.version !== latest.version + 1)
      throw new TypeError(`${kind.kind} ${kind.version} does not follow ${latest.kind} ${latest.version}`);
    return lineageOf<Next>([...upcasts, { from: latest, up }], kind);
  },
});

/** Begins with the oldest version that is still read. */
export const lineage = <First extends AnyVersion>(kind: Kind): Lineage<First> => lineageOf<First>([], kind);

/** What a reader knows: kinds as they are today, and older versions with the way up from each. */
export interface Versions {
  readonly kinds: readonly Kind[];
  readonly upcasts: readonly Upcast[];
}

/** The versions of this program. No kind has had another one yet; those to come go here: `...lineage(…).to(…).upcasts`. */
export const VERSIONS: Versions = { kinds: KINDS, upcasts: [] };

/** The way from one version of a kind to another; null where a step is missing. */
export function wayUp(upcasts: readonly Upcast[], code: number, version: number, to: number) {
  const steps: Upcast[] = [];
  for (let v = version; v < to; v++) {
    const step = upcasts.find(({ from }) => from.code === code && from.version === v);
    if (step === undefined) return null;
    steps.push(step);
  }
  return (event: AnyVersion): Event =>
    steps.reduce((older, { up }) => up(older as never), event) as unknown as Event;
}
