import { expect } from 'chai';
import { decodeSegment } from '../../../core/codec/decode.js';
import { describeKinds } from '../../../core/codec/describe.js';
import { encodeSegment } from '../../../core/codec/encode.js';
import { lineage, type Versions } from '../../../core/codec/upcast.js';
import { Entered } from '../../../core/event/calls.js';
import { KINDS } from '../../../core/event/event.js';
import type { Common, Kind, Words } from '../../../core/event/kind.js';
import { Gap } from '../../../core/event/trace.js';
import { decoded, event } from './given.js';

/** Made up: `gap` as it is today is version 1, a later program has version 3. */
interface Gap2 extends Common {
  readonly kind: 'gap';
  readonly count: number;
  readonly why: string;
}
interface Gap3 extends Common {
  readonly kind: 'loss';
  readonly count: number;
  readonly reason: { readonly text: string };
}
const gap2: Kind = { ...Gap, version: 2, fields: [] };
const gap3: Kind = { ...Gap, kind: 'loss', version: 3, fields: [] };
const losses = lineage<Gap>(Gap)
  .to<Gap2>(gap2, ({ lost, ...old }) => ({ ...old, count: lost }))
  .to<Gap3>(gap3, ({ why, ...old }) => ({ ...old, kind: 'loss', reason: { text: why } }));

/** And the next `entered` has a depth. */
interface Entered2 extends Common {
  readonly kind: 'entered';
  readonly fn: string;
  readonly values: Words;
  readonly depth: number;
}
const entered2: Kind = {
  ...Entered,
  version: 2,
  fields: [...Entered.fields, { name: 'depth', type: 'uint', doc: '' }],
};
const deeper = lineage<Entered>(Entered).to<Entered2>(entered2, (old) => ({ ...old, depth: 0 }));

const later: Versions = {
  kinds: KINDS.map((kind) => (kind === Gap ? gap3 : kind === Entered ? entered2 : kind)),
  upcasts: [...losses.upcasts, ...deeper.upcasts],
};

const gap = event('gap', { lost: 5, why: 'overrun' }, { seq: 2, time: 70, call: 1 });
const entered = event('entered', {
  fn: 'f',
  place: 'f+0x0/0x10',
  names: 'a,b',
  values: { hi: [1, 0], lo: [2, 0], texts: [null, 'x'] },
});
const marker = event('marker', { text: 'as ever' }, { seq: 3 });
const bytes = encodeSegment([entered, gap, marker]);

describe('events of an older version', () => {
  it('come up, version by version, when they are decoded', () => {
    const { lost, why, ...common } = gap;
    expect(decoded(bytes, { versions: later })).to.deep.equal([
      { ...entered, depth: 0 },
      { ...common, kind: 'loss', count: lost, reason: { text: why } },
      marker,
    ]);
  });

  it('are left out like others', () => {
    const only = new Set(['marker'] as const);
    expect(decoded(bytes, { only, versions: later })).to.deep.equal([marker]);
  });

  it('without a way up are a failure', () => {
    for (const missing of losses.upcasts) {
      const upcasts = later.upcasts.filter((upcast) => upcast !== missing);
      expect(decodeSegment(bytes, { versions: { ...later, upcasts } })).to.have.nested.property(
        'error.what',
        'there is no way up from version 1 of loss',
      );
    }
  });

  it('follow each other without a hole', () => {
    expect(() => lineage<Gap>(Gap).to<Gap3>(gap3, losses.upcasts[0]?.up as never)).to.throw(
      'loss 3 does not follow gap 1',
    );
  });
});

describe('events of a version to come', () => {
  for (const [name, kinds] of [
    ['a later version', KINDS.map((kind) => (kind === Gap ? { ...Gap, version: 0 } : kind))],
    ['a new kind', KINDS.filter((kind) => kind !== Gap)],
  ] as const) {
    it(`say that they are ${name}`, () => {
      const result = decodeSegment(bytes, { versions: { kinds, upcasts: [] } });
      expect(result).to.have.nested.property('error.code', 'segment-too-new');
      expect(result).to.have.nested.property('error.hint', 'a newer pagetrail wrote it: read it with that');
    });
  }
});

describe('the description of the kinds', () => {
  it('has codes and names of its own for every kind', () => {
    const kinds = describeKinds();
    expect(new Set(kinds.map(({ kind }) => kind)).size).to.equal(KINDS.length);
    expect(new Set(kinds.map(({ descriptor }) => descriptor.code)).size).to.equal(KINDS.length);
  });

  it('says what a reader needs', () => {
    expect(describeKinds([Gap])).to.deep.equal([
      {
        kind: 'gap',
        version: 1,
        descriptor: {
          kind: 'gap',
          code: 61,
          version: 1,
          fields: [
            { name: 'lost', type: 'uint' },
            { name: 'why', type: 'text' },
          ],
        },
      },
    ]);
  });
});
