/** kernel-model.md §2.9: the five situations of every kernel, as the table writes them. */
import { expect } from 'chai';
import { PROFILES } from '../../../../core/profile/profiles.js';
import { EVENT_STRINGS, visible, type EventStrings } from '../../../models/eventStrings.js';
import { Scene, type Compiled } from '../../../models/scene.js';
import { storyOf } from '../../../models/story.js';

const SMALL = 396;
const LARGE_S = 5_000_000 - (5_000_000 % 64);
const MIB2 = 2_097_152;

interface Sizes {
  readonly s: number;
  readonly nodes: number;
  /** Its permission call is looked at. */
  readonly checked: boolean;
}

/** A story in the notation of the table. */
const inTableNotation = (story: string, { s, nodes, checked }: Sizes): string => {
  const pages = Math.ceil(s / 4096);
  // The flag is set again where the allocation passed it already: that leaves no event of its own.
  const flagged = story
    .replace(/VA\+FL(\([^)]*\))((?: FILL)?(?: L\+)?) (RO|ROX)\(/g, 'VA$1$2 FL $3(')
    .replace(/ COL\b/g, '');
  return flagged
    .replace(/\b(CH|UC|CP|INV)\((\d+)\)/g, (all, word: string, bytes: string) =>
      Number(bytes) === s ? `${word}(s)` : Number(bytes) === pages * 4096 ? `${word}(P)` : all,
    )
    .replace(/VA\((\d+)(:2M)?\)/g, (all, bytes: string, huge: string | undefined) => {
      if (Number(bytes) === MIB2 * nodes) return `VA(2M·N, ${huge === undefined ? '4K' : '2M leafs'})`;
      return Number(bytes) === pages * 4096 && bytes !== '4096' ? 'VA(P)' : all;
    })
    .replace(/\b(RO|X|ROX)\((\d+)\)/g, (_all, word: string, count: string) => {
      const range =
        Number(count) === 512 * nodes
          ? '(512N)'
          : Number(count) === pages && count !== '1'
            ? ''
            : `(${count})`;
      return `${word}${range}${word === 'ROX' && checked ? '!' : ''}`;
    })
    .replaceAll('KV', 'RW')
    .replaceAll('B-', 'B−')
    .replaceAll('L-', 'L−')
    .replaceAll('{ ', '{')
    .replaceAll(' }', '}');
};

describe('§2.9 the table', () => {
  it('has a row for every kernel that was released; the series on 2M leaves are in sequences.test.ts', () => {
    const rows = EVENT_STRINGS.flatMap(({ kernels }) => kernels);
    const left = PROFILES.map(({ name }) => name).filter((name) => !rows.includes(name));
    expect(left).to.deep.equal(['5.18-rc3-packv2', '5.18-rc5-packv2-huge']);
    expect(new Set(rows).size).to.equal(rows.length);
  });
});

const situations = (kernel: string, nodes: number, row: EventStrings) => {
  const flushing = row.flushing === true;
  const given = (): Scene => new Scene(kernel, { nodes, answers: { predictor: () => flushing } });
  const wholePack = row.full.includes('VA(4096)') ? 4096 : MIB2 * nodes;
  const binary = row.room.startsWith('CH(P)');
  const checked =
    new Scene(kernel, { fail: (fn) => (fn === 'set_memory_rox' ? -12 : undefined) }).compile() === null;
  const sizeOf = (proglen: number): Sizes => {
    const s = binary ? Math.ceil((proglen + 136) / 4096) * 4096 : Math.ceil((proglen + 24) / 64) * 64;
    return { s, nodes, checked };
  };
  const told = (scene: Scene, proglen: number): string => {
    const text = inTableNotation(storyOf(scene.steps, flushing), sizeOf(proglen));
    return binary
      ? text
          .replace(/\b(RO|X)\(1\)/g, '$1')
          .replace('VA(4096)', 'VA(P)')
          .replace(/\((s|4096)\)/g, '(P)')
      : text;
  };
  /** As in the table: a classic program in a dirty pack. */
  const load = (scene: Scene, proglen: number): Compiled => {
    if (flushing) scene.type = 'classic';
    return scene.load(proglen);
  };
  return { given, wholePack, told, load };
};

for (const row of EVENT_STRINGS)
  for (const kernel of row.kernels)
    for (const nodes of [1, 2])
      describe(`§2.9 ${kernel}, ${nodes} node${nodes === 1 ? '' : 's'}`, () => {
        const { given, wholePack, told, load } = situations(kernel, nodes, row);

        it(`(a) ${row.room}`, () => {
          const scene = given();
          scene.load(SMALL);
          load(scene, SMALL);
          expect(told(scene, SMALL)).to.equal(visible(row.room));
        });

        it(`(b) ${row.full}`, () => {
          const scene = given();
          scene.load(SMALL);
          const proglen = wholePack - 24;
          load(scene, proglen);
          expect(told(scene, proglen)).to.equal(visible(row.full));
        });

        it(`(c) ${row.larger}, freed as UNP {VF} UC(s)`, () => {
          const scene = given();
          scene.load(SMALL);
          const large = load(scene, LARGE_S - 24);
          expect(told(scene, LARGE_S - 24).replace(':2M', '')).to.equal(visible(row.larger));
          scene.free(large);
          const freed = row.larger.startsWith('CH(P)') ? row.one : 'UNP {VF} UC(s)';
          expect(told(scene, LARGE_S - 24)).to.equal(freed);
        });

        it(`(d) ${row.one}`, () => {
          const scene = given();
          scene.load(SMALL);
          scene.free(load(scene, SMALL));
          expect(told(scene, SMALL)).to.equal(visible(row.one));
        });

        it(`(e) ${row.last}`, () => {
          const scene = given();
          scene.free(load(scene, SMALL));
          expect(told(scene, SMALL)).to.equal(visible(row.last));
        });
      });

describe('§2.9 the first use', () => {
  const TRIED = [
    '5.18-rc3',
    '5.18-rc3-packv2',
    '5.18-rc5',
    '5.18-rc5-packv2',
    '5.18.2',
    '5.18.18',
    '5.19',
    '5.19.2',
  ];
  for (const { name } of PROFILES)
    it(`${name}: ${TRIED.includes(name) ? "is preceded by VA(2M·N) VF'" : 'has no trial of its own'}`, () => {
      const scene = new Scene(name, { nodes: 2 });
      scene.load(SMALL);
      const trial = /^CH\(\d+\) \{ VA\(4194304(:2M)?\) VF' VA/.test(scene.story);
      expect(trial).to.equal(TRIED.includes(name) || name === '5.18-rc5-packv2-huge');
    });
});
