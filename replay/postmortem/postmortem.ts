/** An oops explained: the moment, the fault, the page and its history, and what fits, the best first. */
import type { Event } from '../../core/event/event.js';
import type { Oops } from '../../core/oops/oops.js';
import { Address } from '../../core/value/address.js';
import { ok, type Result } from '../../core/value/failure.js';
import { circumstancesOf, type Circumstances } from '../calls.js';
import type { HistoryItem } from '../history.js';
import { comparison, type Compared } from './comparison.js';
import type { Evidence, Fit } from './evidence.js';
import { weighFailure } from './known/failure.js';
import { FAILURES } from './known/failures.js';
import { readingsOf } from './readings.js';
import { sceneOf, type OopsScene, type SceneOptions } from './scene.js';

/** Who last changed something, with the calls around it. */
export interface Writer extends Circumstances {
  readonly event: Event;
}

export interface Explanation {
  /** `F9`, or the name of a reading. */
  readonly id: string;
  readonly title: string;
  /** A failure of kernel-model.md §8.2. */
  readonly known: boolean;
  readonly explains: 'fault' | 'state';
  readonly fit: Exclude<Fit, 'out'>;
  readonly score: number;
  readonly affected: string | null;
  readonly fix: string | null;
  readonly evidence: readonly Evidence[];
}

export type PostMortemVerdict = 'explained' | 'nothing' | 'unknown';

export interface PostMortem {
  readonly scene: OopsScene;
  readonly compared: readonly Compared[];
  /** Last change of the permission and of the content of the page; null: none is recorded. */
  readonly permission: Writer | null;
  readonly content: Writer | null;
  /** The best first. */
  readonly explanations: readonly Explanation[];
  /** What is not known and would matter. */
  readonly unknown: readonly string[];
  readonly verdict: PostMortemVerdict;
}

/** Below this what is merely possible is not worth a line. */
const LEAST_SCORE = 0.3;

const knownOf = (scene: OopsScene): readonly Explanation[] =>
  FAILURES.flatMap((failure) => {
    const { fit, score, evidence } = weighFailure(failure, scene);
    if (fit === 'out' || (fit === 'possible' && (score < LEAST_SCORE || failure.explains === 'state')))
      return [];
    const later = scene.traced?.moment.outside === true && scene.translation === null;
    const { id, title, explains, affected, fix } = failure;
    return [
      { id, title, known: true, explains, fit: later ? 'possible' : fit, score, affected, fix, evidence },
    ];
  });

const readOf = (scene: OopsScene): readonly Explanation[] =>
  readingsOf(scene).map(({ id, title, evidence }) => ({
    id,
    title,
    known: false,
    explains: 'fault',
    fit: evidence.some(({ verdict }) => verdict === 'unknown') ? 'possible' : 'fits',
    score: 0,
    affected: null,
    fix: null,
    evidence,
  }));

/** Known failures that fit, then what the state says, then what may be, then what is merely seen beside. */
const rankOf = ({ known, explains, fit }: Explanation): number => {
  if (explains === 'state') return 4;
  if (fit === 'fits') return known ? 0 : 1;
  return known ? 3 : 2;
};

const ranked = (list: readonly Explanation[]): readonly Explanation[] =>
  list.toSorted((a, b) => rankOf(a) - rankOf(b) || b.score - a.score);

const writerOf = ({ event, calls, marker, phase }: HistoryItem): Writer => ({ event, calls, marker, phase });

const permissionWriter = ({ traced }: OopsScene): Result<Writer | null> => {
  if (traced === null) return ok(null);
  if (traced.place?.space !== 'direct') {
    const last = traced.history.findLast(({ mappings }) =>
      mappings.some(({ from, to }) => from?.prot !== to?.prot),
    );
    return ok(last === undefined ? null : writerOf(last));
  }
  const last = traced.alias.changes.findLast(({ from, to }) => from?.prot !== to?.prot);
  if (last === undefined) return ok(null);
  const around = circumstancesOf(traced.trace, last.event);
  return around.ok ? ok({ event: last.event, ...around.value }) : around;
};

/** Of the bytes at the address, not of others in its page. */
const contentWriter = ({ traced }: OopsScene): Writer | null => {
  const place = traced?.place?.space === 'user' ? traced.code : (traced?.place ?? traced?.code ?? null);
  if (traced === null || place === null || traced.page === null) return null;
  const at = Address.of(traced.page, place.address.offset);
  const holds = ({ start, bytes }: { readonly start: string; readonly bytes: number }): boolean => {
    const from = Address.parse(start);
    const offset = from === null ? -1 : Address.minus(at, from);
    return offset >= 0 && offset < bytes;
  };
  const last = traced.history.findLast(({ content }) => content.some(holds));
  return last === undefined ? null : writerOf(last);
};

const unknowns = ({ oops, translation, traced }: OopsScene): readonly string[] => [
  ...(oops.address === null && oops.pc === null
    ? ['the oops names neither an address nor a place in code']
    : []),
  ...(oops.kind === 'page-fault' && translation === null ? ['the oops shows no page-table line'] : []),
  ...(traced === null ? ['there is no trace: what happened before is not known'] : []),
  ...(traced?.moment.outside === true ? [`the moment of the oops is taken for ${traced.moment.how}`] : []),
  ...(traced?.gaps ?? []).map(
    ({ seq, lost, why }) => `${lost === 0 ? 'events' : `${lost} events`} were lost at event ${seq}: ${why}`,
  ),
  ...(traced !== null &&
  traced.place !== null &&
  traced.place.space === 'virtual' &&
  traced.place.entry === null &&
  traced.history.length === 0 &&
  traced.place.area === null
    ? ['the trace knows nothing of the faulting page']
    : []),
];

/** Explains an oops. Failures are those of `sceneOf`. */
export const postMortem = (oops: Oops, options: SceneOptions): Result<PostMortem> => {
  const found = sceneOf(oops, options);
  if (!found.ok) return found;
  const scene = found.value;
  const permission = permissionWriter(scene);
  if (!permission.ok) return permission;
  const explanations = ranked([...knownOf(scene), ...readOf(scene)]);
  const unknown = unknowns(scene);
  const ofFault = explanations.filter(({ explains }) => explains === 'fault');
  const explained = ofFault.some(({ fit }) => fit === 'fits');
  const open = ofFault.length > 0 || unknown.length > 0;
  return ok({
    scene,
    compared: comparison(scene),
    permission: permission.value,
    content: contentWriter(scene),
    explanations,
    unknown,
    verdict: explained ? 'explained' : open ? 'unknown' : 'nothing',
  });
};
