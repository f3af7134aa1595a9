import * as v from 'valibot';
import { eventJson } from '../core/codec/json.js';
import type { Event } from '../core/event/event.js';
import { ok, type Result } from '../core/value/failure.js';
import { keyText } from '../replay/checkpoints.js';
import { checkConsistencyProof, parseConsistencyProof } from '../replay/consistencyProof.js';
import { checkEventProof, isEventProof, parseEventProof } from '../replay/eventProof.js';
import { rootText, signedBy, type CheckpointNote, type NoteVerifier, type Signed } from '../store/index.js';
import type { Context } from './console/context.js';
import { grouped, plural } from '../replay/numbers.js';
import { pairs } from './console/table.js';
import { checkpointIn, signatureText, verifierIn } from './log/seals.js';
import { smallText } from './log/smallFile.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';
import { detailText } from '../replay/eventText.js';

/** What a proof shows, or why it shows nothing. */
interface Checked {
  readonly kind: 'event' | 'consistency';
  readonly claim: string;
  readonly difference: string | null;
  readonly event: Event | null;
  /** The checkpoints it stands on; of two the older first. */
  readonly seals: readonly CheckpointNote[];
}

function check(content: string, path: string): Result<Checked> {
  if (isEventProof(content)) {
    const proof = parseEventProof(content, path);
    if (!proof.ok) return proof;
    const { event: seq, seal } = proof.value;
    const found = checkEventProof(proof.value);
    return ok({
      kind: 'event',
      claim: `event ${seq} of ${seal.checkpoint.trace ?? 'the trace'} is what the checkpoint saw`,
      difference: 'event' in found ? null : found.difference,
      event: 'event' in found ? found.event : null,
      seals: [seal],
    });
  }
  const proof = parseConsistencyProof(content, path);
  if (!proof.ok) return proof;
  const { old, new: later } = proof.value;
  return ok({
    kind: 'consistency',
    claim: `the trace of the newer checkpoint (${plural(later.checkpoint.size, 'segment')}) begins with what the older one saw (${grouped(old.checkpoint.size)})`,
    difference: checkConsistencyProof(proof.value),
    event: null,
    seals: [old, later],
  });
}

/** Whether who asks has a reason to believe a checkpoint. */
interface Believed {
  readonly signature: Signed;
  /** It is word for word the one that was kept; null when none was given. */
  readonly isKept: boolean | null;
}

const believedOf = (
  { note }: CheckpointNote,
  key: NoteVerifier | null,
  kept: CheckpointNote | null,
): Believed => ({
  signature: signedBy(note, key),
  isKept: kept === null ? null : kept.note.text === note.text,
});

type Verdict = 'proven' | 'not proven' | 'depends on the checkpoint';

function verdictOf(
  { difference }: Checked,
  believed: readonly Believed[],
  key: NoteVerifier | null,
): Verdict {
  if (difference !== null) return 'not proven';
  if (key !== null && believed.some(({ signature }) => signature !== 'good')) return 'not proven';
  const asked = believed.some(({ isKept }) => isKept !== null);
  if (asked && !believed.some(({ isKept }) => isKept === true)) return 'not proven';
  const all = believed.every(({ signature, isKept }) => signature === 'good' || isKept === true);
  return all ? 'proven' : 'depends on the checkpoint';
}

const EXIT = { proven: Exit.nothing, 'not proven': Exit.findings, 'depends on the checkpoint': Exit.unknown };

function lines(
  { style }: Context,
  { claim, difference, event, seals }: Checked,
  believed: readonly Believed[],
  verdict: Verdict,
  key: string | null,
): readonly string[] {
  const dressed = {
    proven: style.good('proven'),
    'not proven': style.bad('NOT PROVEN'),
    'depends on the checkpoint': style.odd(
      'fits, but nobody vouches for the checkpoint (--key, --checkpoint)',
    ),
  }[verdict];
  return pairs(
    [
      ['claim', claim],
      ['verdict', dressed],
      ...(difference === null ? [] : [['why', style.bad(difference)] as const]),
      ...(event === null ? [] : [['event', `${event.kind} ${detailText(event)}`.trimEnd()] as const]),
      ...seals.flatMap(({ checkpoint: { origin, size, events } }, i) => {
        const { signature, isKept } = believed[i] as Believed;
        const held =
          isKept === null
            ? []
            : [['kept', isKept ? 'it is the one kept' : 'it is not the one kept'] as const];
        return [
          [
            'checkpoint',
            `${plural(size, 'segment')}${events === null ? '' : `, ${plural(events, 'event')}`}, ${origin}`,
          ] as const,
          ['signature', signatureText(signature, key)] as const,
          ...held,
        ];
      }),
    ],
    style.dim,
  );
}

export const checkProof = command({
  about:
    'Checks a proof that `pagetrail prove` wrote; no log is needed. A proof only says what follows from the checkpoint in it: whether that one is ' +
    'genuine is shown by its signature (--key) or by a copy kept elsewhere (--checkpoint). Without either the exit code is 4.',
  arguments: [['<file>', 'the proof']],
  options: [
    ['--key <file>', 'public key (FILE.pub) that must have signed its checkpoints'],
    ['--checkpoint <file>', 'a checkpoint kept elsewhere: it must be the one of the proof'],
  ],
  examples: [
    {
      line: 'pagetrail check-proof 42.tlog-proof --key audit.key.pub',
      does: 'exit code 0 when proven, 1 when not',
    },
  ],
  values: v.object({ file: text, key: v.optional(text), checkpoint: v.optional(text) }),
  run: async (context, given) => {
    const verifier = verifierIn(given.key);
    if (!verifier.ok) return verifier;
    const kept = checkpointIn(given.checkpoint);
    if (!kept.ok) return kept;
    const content = smallText(given.file);
    if (!content.ok) return content;
    const checked = check(content.value, given.file);
    if (!checked.ok) return checked;
    const believed = checked.value.seals.map((seal) => believedOf(seal, verifier.value, kept.value));
    const verdict = verdictOf(checked.value, believed, verifier.value);
    const key = verifier.value === null ? null : keyText(verifier.value);
    if (context.settings.json)
      context.printJson({
        proof: checked.value.kind,
        verdict,
        why: checked.value.difference,
        event: checked.value.event === null ? null : eventJson(checked.value.event),
        key,
        checkpoints: checked.value.seals.map(({ checkpoint }, i) => ({
          origin: checkpoint.origin,
          trace: checkpoint.trace,
          segments: checkpoint.size,
          events: checkpoint.events,
          root: rootText(checkpoint.root),
          signature: believed[i]?.signature,
          kept: believed[i]?.isKept,
        })),
      });
    else context.print(...lines(context, checked.value, believed, verdict, key));
    return ok(EXIT[verdict]);
  },
});
