/** kernel-model.md §2.3.1 (tail calls at load), §2.3.5 (a program whose last pass never came), §2.3.8: what a load and a free do besides their memory. */
import { expect } from 'chai';
import { Address } from '../../../../core/value/address.js';
import { Scene } from '../../../models/scene.js';

const named = (scene: Scene, name: string): Address[] =>
  scene.steps.flatMap((step) =>
    step.step === 'call' && step.name === name ? [step.args['addr'] as Address] : [],
  );

describe('tail calls whose targets are in the array when the program is loaded', () => {
  for (const [kernel, poke] of [
    ['5.18-rc3', 'text_poke_bp'],
    ['6.1', 'text_poke_bp'],
    ['7.2', 'smp_text_poke_single'],
  ] as const)
    it(`${kernel}: are patched once the image is read-only, jump and bypass`, () => {
      const sites = [40, 20].map((offset) => ({
        at: Address.of(0xffffffffc0000, offset),
        length: 5,
      }));
      const scene = new Scene(kernel, { answers: { patch: () => sites.shift() ?? null } });
      scene.load();
      expect(named(scene, poke).map(({ offset }) => offset)).to.deep.equal([40, 20]);
      const calls = scene.steps.flatMap((step) => (step.step === 'call' ? [step.name] : []));
      expect(calls.indexOf(poke)).to.be.above(calls.indexOf('bpf_jit_binary_pack_finalize'));
      expect(calls.indexOf(poke)).to.be.below(calls.indexOf('bpf_prog_kallsyms_add'));
    });

  it('5.10: are written while the image is still writable: no patch', () => {
    const scene = new Scene('5.10', {
      answers: {
        patch: () => {
          throw new Error('asked');
        },
      },
    });
    scene.load();
    expect(named(scene, 'text_poke_bp')).to.deep.equal([]);
  });
});

const abandoned = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  scene.load();
  scene.final = false;
  const first = scene.compile();
  if (first === null) throw new Error('not compiled');
  scene.free(first);
  return scene;
};

describe('a function that is freed before its last pass (a load that failed half-way)', () => {
  for (const kernel of ['6.1', '7.2'])
    it(`${kernel}: is finalized first, so that its header says its size`, () => {
      const scene = abandoned(kernel);
      expect(scene.story).to.equal('CP(448) { INV(448) B- } UC(448)');
      expect(scene.memory.packs[0]?.usedChunks).to.equal(7);
      expect(scene.memory.charged).to.equal(448);
    });

  it('5.18-rc3-packv2: is freed by the traps in its header (F6): nothing is given back, and the charge is wrong', () => {
    const scene = abandoned('5.18-rc3-packv2');
    expect(scene.story).to.equal("{ WARN VF' } UC(3435973836)");
    expect(scene.memory.packs[0]?.usedChunks).to.equal(14);
    expect(scene.areasNow().map(({ state }) => state)).to.deep.equal(['live']);
  });
});

describe('the predictor flush (7.1+, 6.12.101) with its static key off', () => {
  it('7.2: a free leaves its pack clean', () => {
    const scene = new Scene('7.2');
    scene.load();
    scene.free(scene.load());
    expect(scene.memory.packs.map(({ dirty }) => dirty)).to.deep.equal([false]);
  });
});
