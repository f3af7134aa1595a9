import { expect } from 'chai';
import { encodeSegment } from '../../core/codec/encode.js';
import type { Event, Fact } from '../../core/event/event.js';
import {
  againstCheckpoint,
  checkpointOf,
  differenceFrom,
  noteOf,
  walkChain,
  type WalkedChain,
} from '../../replay/checkpoints.js';
import {
  checkConsistencyProof,
  consistencyProofText,
  parseConsistencyProof,
  proveConsistency,
} from '../../replay/consistencyProof.js';
import { checkEventProof, eventProofText, parseEventProof, proveEvent } from '../../replay/eventProof.js';
import { must } from '../../replay/failed.js';
import {
  newNoteKeys,
  openStore,
  parseSigner,
  parseVerifier,
  type CheckpointNote,
  type Store,
} from '../../store/index.js';
import { append, numbered, scratchFile, write } from './given.js';
import { forge, codeOf } from '../store/given.js';

const SIZE = 4;
const SEGMENTS = 7;

const marker = (text: string): Fact => ({ kind: 'marker', text });
const events = (n = SIZE * SEGMENTS, changed = -1): readonly Event[] =>
  numbered(Array.from({ length: n }, (_, i) => marker(i === changed ? 'forged' : `marker ${i}`)));

const keys = must(newNoteKeys('example.org/audit'));
const signer = must(parseSigner(keys.secret, 'key'));
const verifier = must(parseVerifier(keys.open, 'key.pub'));
const stranger = must(parseVerifier(must(newNoteKeys('example.org/audit')).open, 'key.pub'));

const sealed = (store: Store): CheckpointNote => {
  const checkpoint = must(checkpointOf(must(walkChain(store, 't')), store.file));
  return { checkpoint, note: noteOf(checkpoint, signer) };
};

/** A store whose trace has all segments, and the checkpoints taken after each of them, that of the empty trace first. */
function grown(): { readonly store: Store; readonly seals: readonly CheckpointNote[] } {
  const store = must(openStore(':memory:'));
  write(store, [], { meta: { kernel: 'none' } });
  const seals = [sealed(store)];
  for (let i = 0; i < SEGMENTS; i++) {
    append(store, events().slice(i * SIZE, (i + 1) * SIZE), { size: SIZE });
    seals.push(sealed(store));
  }
  return { store, seals };
}

/** The same trace told otherwise from one event on, its chain whole. */
function retold(changed: number): Store {
  const store = must(openStore(':memory:'));
  write(store, events(SIZE * SEGMENTS, changed), { meta: { kernel: 'none' }, size: SIZE });
  return store;
}

describe('A checkpoint', () => {
  it('holds for the trace it was taken of, however much was appended', () => {
    const { store, seals } = grown();
    const chain = must(walkChain(store, 't'));
    for (const [size, seal] of seals.entries()) {
      expect(seal.checkpoint).to.deep.include({ size, events: size * SIZE });
      expect(againstCheckpoint(chain, seal, verifier)).to.deep.include({
        holds: true,
        signature: 'good',
        segments: size,
      });
    }
  });

  it('does not hold once an event that it saw is another, though the chain is whole', () => {
    const { seals } = grown();
    for (let changed = 0; changed < SIZE * SEGMENTS; changed += 3) {
      const chain = must(walkChain(retold(changed), 't'));
      expect(chain.report.intact).to.equal(true);
      const segment = Math.floor(changed / SIZE);
      for (const [size, { checkpoint }] of seals.entries())
        expect(differenceFrom(chain, checkpoint) === null, `${changed} ${size}`).to.equal(size <= segment);
    }
  });

  it('says in what the trace differs: shorter, of another beginning, cut otherwise', () => {
    const { seals } = grown();
    const last = (seals.at(-1) as CheckpointNote).checkpoint;
    const differs = (store: Store): string | null => differenceFrom(must(walkChain(store, 't')), last);
    const shorter = must(openStore(':memory:'));
    write(shorter, events(SIZE * 3), { meta: { kernel: 'none' }, size: SIZE });
    expect(differs(shorter)).to.equal('the log has only 3 of the 7 segments that the checkpoint saw');
    const other = must(openStore(':memory:'));
    write(other, events(), { meta: { kernel: 'another' }, size: SIZE });
    expect(differs(other)).to.include('another trace (t)');
    const recut = must(openStore(':memory:'));
    write(recut, events(), { meta: { kernel: 'none' }, size: 1 });
    expect(differs(recut)).to.equal('the first 7 segments are not those that the checkpoint saw');
  });

  it('with other words beside the right root does not hold', () => {
    const { store, seals } = grown();
    const chain = must(walkChain(store, 't'));
    const { checkpoint } = seals[3] as CheckpointNote;
    expect(differenceFrom(chain, { ...checkpoint, events: 13 })).to.include('13 events');
    expect(differenceFrom(chain, { ...checkpoint, chain: 'ab'.repeat(32) })).to.include('abab');
    expect(differenceFrom(chain, { ...checkpoint, events: null, chain: null, trace: null })).to.equal(null);
  });

  it('is compared with what is still valid of a damaged trace, which gets no new one', () => {
    const file = scratchFile();
    const store = must(openStore(file));
    write(store, events(), { size: SIZE });
    const early = must(walkChain(store, 't'));
    store.close();
    forge(file, (db) => db.exec('UPDATE segments SET bytes = zeroblob(9) WHERE idx = 4'));
    const damaged = must(openStore(file, { readonly: true }));
    const chain = must(walkChain(damaged, 't'));
    const cut = must(checkpointOf(early, file));
    expect(differenceFrom(chain, cut)).to.equal('valid are only 4 of the 7 segments that the checkpoint saw');
    expect(codeOf(checkpointOf(chain, file))).to.equal('damaged');
    damaged.close();
  });

  it('signed by another key of the same name is not signed by this one', () => {
    const { store, seals } = grown();
    const chain = must(walkChain(store, 't'));
    expect(againstCheckpoint(chain, seals[2] as CheckpointNote, stranger).signature).to.equal('by-others');
  });
});

const checked = (text: string): ReturnType<typeof checkEventProof> =>
  checkEventProof(must(parseEventProof(text, 'p')));

describe('A proof of an event', () => {
  const { store, seals } = grown();
  const chain = must(walkChain(store, 't'));
  const proofText = (event: number, seal: CheckpointNote): string => {
    const segment = must(must(store.trace('t')).segmentAt(event));
    return eventProofText(must(proveEvent(chain, segment, event, seal)));
  };

  it('shows the event itself, against every checkpoint that saw it', () => {
    for (const event of events())
      for (const seal of seals.slice(Math.ceil(event.seq / SIZE))) {
        const result = checked(proofText(event.seq, seal));
        expect('event' in result && result.event).to.deep.equal(event);
      }
  });

  it('is refused for an event that came later', () => {
    const segment = must(must(store.trace('t')).segmentAt(9));
    expect(codeOf(proveEvent(chain, segment, 9, seals[2] as CheckpointNote))).to.equal('not-covered');
  });

  it('proves nothing when the event, the segment, its place, the path or the checkpoint are others', () => {
    const seal = seals[7] as CheckpointNote;
    const proof = must(parseEventProof(proofText(10, seal), 'p'));
    const forged = encodeSegment(events(28, 9).slice(8, 12));
    const changes: readonly (readonly [string, object])[] = [
      ['event', { event: 14 }],
      ['bytes', { bytes: forged }],
      ['first', { first: 1 }],
      ['count', { count: 3 }],
      ['index', { index: 3 }],
      ['previous', { previous: Buffer.alloc(32) }],
      ['path', { path: proof.path.slice(1) }],
      ['checkpoint', { seal: seals[6] }],
    ];
    expect(checkEventProof(proof)).to.have.property('event');
    for (const [what, change] of changes)
      expect(checkEventProof({ ...proof, ...change }), what).to.have.property('difference');
  });

  it('proves nothing of an event that its segment numbers otherwise than the log', () => {
    const odd = must(openStore(':memory:'));
    write(odd, []);
    const bytes = encodeSegment(numbered([marker('a'), marker('b')], 100));
    must(must(odd.trace('t')).append({ first: 1, count: 2, bytes }));
    const walked = must(walkChain(odd, 't'));
    const segment = must(must(odd.trace('t')).segmentAt(1));
    for (const seq of [1, 100]) {
      const proof = must(proveEvent(walked, segment, seq, sealed(odd)));
      expect(checkEventProof(proof)).to.have.property('difference');
    }
  });

  it('is read to its last byte: cut off or garbled it is refused, or proves nothing that is not so', () => {
    const text = proofText(10, seals[7] as CheckpointNote);
    for (let length = 0; length < text.length; length++) {
      const read = parseEventProof(text.slice(0, length), 'p');
      // What can be cut off is the signature alone, which --key misses.
      if (read.ok) expect(text.slice(length)).to.match(/^— [^\n]*\n$/);
    }
    const extra = (change: object): string => {
      const [, line = ''] = /^extra (\S+)$/m.exec(text) ?? [];
      const old = JSON.parse(Buffer.from(line, 'base64').toString()) as object;
      return text.replace(line, Buffer.from(JSON.stringify({ ...old, ...change })).toString('base64'));
    };
    for (const change of [
      { codec: 9 },
      { size: 1e12 },
      { bytes: 5 },
      { bytes: '!' },
      { previous: 'ab' },
      { event: 0 },
      { first: -1 },
      { count: 5000 },
    ])
      expect(codeOf(parseEventProof(extra(change), 'p')), JSON.stringify(change)).to.equal('bad-proof');
    for (const changed of [
      text.replace('index 2', 'index 02'),
      text.replace('@v1', '@v2'),
      text.replace(/^extra .*\n/m, ''),
      text.replace('index', 'extra e30=\nindex'),
    ])
      expect(codeOf(parseEventProof(changed, 'p'))).to.equal('bad-proof');
  });
});

describe('A proof of consistency', () => {
  it('holds from each checkpoint to each later one, and for no others', () => {
    const { store, seals } = grown();
    const chain = must(walkChain(store, 't'));
    const others = must(walkChain(retold(9), 't'));
    for (const old of seals)
      for (const later of seals) {
        const proof = proveConsistency(chain, old, later);
        expect(proof.ok).to.equal(old.checkpoint.size <= later.checkpoint.size);
        if (!proof.ok) continue;
        const read = must(parseConsistencyProof(consistencyProofText(proof.value), 'p'));
        expect(checkConsistencyProof(read)).to.equal(null);
        const [from, to] = [old.checkpoint.size, later.checkpoint.size];
        const forged = must(proveConsistency(others, old, later));
        const checkpoint = { ...later.checkpoint, ...headOf(others, to) };
        if (from >= 3)
          expect(
            checkConsistencyProof({ ...forged, new: { ...later, checkpoint } }),
            `${from} ${to}`,
          ).to.be.a('string');
      }
  });

  it('is refused when it is cut off, and holds for one trace only', () => {
    const { store, seals } = grown();
    const chain = must(walkChain(store, 't'));
    const proof = must(proveConsistency(chain, seals[3] as CheckpointNote, seals[7] as CheckpointNote));
    const text = consistencyProofText(proof);
    for (let length = 0; length < text.trimEnd().length; length++)
      expect(codeOf(parseConsistencyProof(text.slice(0, length), 'p'))).to.equal('bad-proof');
    const { checkpoint, note } = proof.new;
    const other = { note, checkpoint: { ...checkpoint, origin: `pagetrail/${'ab'.repeat(32)}` } };
    expect(checkConsistencyProof({ ...proof, new: other })).to.equal('the checkpoints are of two traces');
    const fewer = { note, checkpoint: { ...checkpoint, events: 2 } };
    expect(checkConsistencyProof({ ...proof, new: fewer })).to.include('fewer events');
  });
});

/** What another chain's tree of `size` segments is. */
function headOf(chain: WalkedChain, size: number): object {
  const { root } = must(checkpointOf({ ...chain, hashes: chain.hashes.slice(0, size) }, 'f'));
  return { root };
}
