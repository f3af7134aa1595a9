/** kernel-model.md §2.4, the rows of an image: no buffer, a JIT that gives up, a copy that fails; and by which size the chunk is given back then. */
import { expect } from 'chai';
import type { Fact } from '../../../../core/event/event.js';
import { bpfProgPackAlloc } from '../../../../core/kernel/packs.js';
import { ContentClass } from '../../../../core/memory/content.js';
import { Address } from '../../../../core/value/address.js';
import { COLUMNS } from '../../../models/columns.js';
import { factsOfKind } from '../../../models/drive.js';
import {
  EINVAL,
  ENOMEM,
  type Faulty,
  faulty,
  withOne,
  withHoleAtStart,
  used,
  warnings,
  invalidated,
} from '../../../models/faulty.js';
import { type Compiled } from '../../../models/scene.js';

const TRAPS = 0xcccccccc;

describe('§2.4 no buffer for the JIT (kvmalloc)', () => {
  for (const kernel of COLUMNS.copiesSize)
    it(`${kernel}: the size is copied into the chunk first; the chunk is given back by it`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('kvmalloc', ENOMEM);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal(`CH(448) { B+ } KV! CP(4) { ${invalidated(kernel)}B- } UC(448)`);
      expect([used(scene), scene.memory.charged]).to.deep.equal([7, 448]);
    });

  for (const kernel of COLUMNS.copiesSize.filter((name) => !COLUMNS.leftover.includes(name)))
    it(`${kernel}: that the copy failed is not looked at: given back by the traps in the header, so the chunk leaks`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('kvmalloc', ENOMEM).set('bpf_arch_text_copy', EINVAL);
      scene.compile();
      expect(factsOfKind(scene.steps, 'chunk-freed')).to.deep.equal([]);
      expect([used(scene), scene.memory.charged]).to.deep.equal([14, 448]);
      expect(warnings(scene).some((text) => text.startsWith('Trying to vfree() bad address'))).to.equal(true);
    });

  for (const kernel of COLUMNS.passesSize)
    it(`${kernel}: the chunk is given back by pointer and size, without a copy`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('kvmalloc', ENOMEM).set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal('CH(448) { B+ } KV! { INV(448) B- } UC(448)');
      expect([used(scene), scene.memory.charged]).to.deep.equal([7, 448]);
    });
});

describe('§2.4 the JIT gives up after its memory was allocated (do_jit)', () => {
  for (const kernel of COLUMNS.binary)
    it(`${kernel}: the area goes, uncharged`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('do_jit', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal("CH(4096) VA(4096) FILL VF' UC(4096)");
    });

  for (const kernel of COLUMNS.pack) {
    it(`${kernel}: the size is copied into the chunk, which is given back by it`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('do_jit', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal(`CH(448) { B+ } KV CP(4) { ${invalidated(kernel)}B- } UC(448)`);
      expect([used(scene), scene.memory.charged]).to.deep.equal([7, 448]);
    });

    if (COLUMNS.leftover.includes(kernel)) continue;
    it(`${kernel}: that the copy failed is not looked at (F12): the traps are the size, also of what is uncharged`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('do_jit', EINVAL).set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.match(/KV CP\(4\) \{ .*WARN VF' \} UC\(3435973836\)$/);
      expect([used(scene), scene.memory.charged]).to.deep.equal([14, 2 * 448 - TRAPS]);
    });
  }
});

describe('§2.4 the copy in finalize fails (F11)', () => {
  for (const kernel of COLUMNS.pack.filter((name) => !COLUMNS.leftover.includes(name))) {
    it(`${kernel}: given back by the traps of a fresh chunk: a bad address, chunk and charge leak, the JIT warns`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(warnings(scene).map((text) => text.replace(/ \(.*/, ''))).to.deep.equal([
        'Trying to vfree() bad address',
        'bpf_jit_binary_pack_finalize failed',
      ]);
      expect([used(scene), scene.memory.charged]).to.deep.equal([14, 2 * 448]);
    });
  }

  for (const kernel of COLUMNS.invalidates)
    it(`${kernel}: at the start of a pack the whole pack goes, under the program that runs there`, () => {
      const { scene, faults } = withHoleAtStart(kernel);
      const pack = scene.memory.packs[0]?.start ?? 0;
      faults.set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.page(pack)).to.equal('none');
      expect(used(scene), 'the pack is on the list').to.equal(14);
      expect(scene.memory.charged).to.equal(2 * 448);
      // The next load is given chunks of it, and there is no page to write to.
      faults.clear();
      scene.compile();
      expect(scene.story).to.include('BUG');
    });

  for (const kernel of [...COLUMNS.leftover, ...COLUMNS.filledOnly])
    for (const [header, what, chunks] of [
      [0, 'none of its chunks is given back', 14],
      [64, 'one of its seven chunks is given back', 13],
      [0xffffffff, 'the whole pack goes', 14],
    ] as const)
      it(`${kernel}: what lay there before is the size: where that is ${header}, ${what}`, () => {
        const asked: string[] = [];
        const { scene, faults } = withHoleAtStart(kernel, {
          answers: {
            result: ({ fn }) => {
              asked.push(fn);
              return header;
            },
          },
        });
        const pack = scene.memory.packs[0]?.start ?? 0;
        faults.set('bpf_arch_text_copy', EINVAL);
        expect(scene.compile()).to.equal(null);
        expect(asked).to.deep.equal(['header']);
        expect([used(scene), scene.memory.charged]).to.deep.equal([chunks, 2 * 448]);
        expect(scene.page(pack) === 'none').to.equal(header === 0xffffffff);
      });

  for (const kernel of COLUMNS.leftover)
    for (const [how, show] of [
      ['a line', (at: Address): Fact => ({ kind: 'seen', at, value: 128 })],
      [
        'a dump',
        (at: Address, frame: number): Fact => ({
          kind: 'content',
          frame,
          block: at.offset / 64,
          blocks: 1,
          class: ContentClass.bytes,
          ref: 0,
          bytes: Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 128 : 0)),
        }),
      ],
    ] as const)
      it(`${kernel}: what ${how} showed of the chunk is the size: 128 bytes are given back`, () => {
        const { scene, faults } = withOne(kernel, {
          answers: {
            result: () => {
              throw new Error('asked');
            },
          },
        });
        const start = scene.memory.packs[0]?.start ?? 0;
        scene.driver.give(show(Address.of(start, 448), scene.frame(start)));
        faults.set('bpf_arch_text_copy', EINVAL);
        expect(scene.compile()).to.equal(null);
        expect(factsOfKind(scene.steps, 'chunk-freed').map(({ bytes }) => bytes)).to.deep.equal([128]);
        expect(used(scene)).to.equal(12);
      });

  for (const kernel of COLUMNS.dispatcherInPack)
    it(`${kernel}: in a pack that the dispatcher made (zeros) the size is 0: no chunk is given back`, () => {
      const { scene, faults } = faulty(kernel);
      scene.call(bpfProgPackAlloc, { size: 4096, fill: 'zero', was_classic: 0 });
      faults.set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal('CH(448) { B+ } KV CP(448) { INV(0) B- } WARN');
      expect([used(scene), scene.memory.charged]).to.deep.equal([64 + 7, 448]);
    });
});

const unfinished = (given: Faulty): Compiled => {
  given.scene.final = false;
  const compiled = given.scene.compile();
  if (compiled === null) throw new Error('not compiled');
  given.faults.set('bpf_arch_text_copy', EINVAL);
  return compiled;
};

describe('§2.5 finalize in bpf_jit_free fails', () => {
  for (const kernel of COLUMNS.finalizesBeforeFree) {
    it(`${kernel}: nobody looks: given back twice by the traps in the header, uncharged by them too`, () => {
      const given = withOne(kernel);
      given.scene.free(unfinished(given));
      expect(given.scene.story).to.equal("CP(448) { WARN VF' } { WARN VF' } UC(3435973836)");
      expect([used(given.scene), given.scene.memory.charged]).to.deep.equal([14, 2 * 448 - TRAPS]);
    });
    if (!COLUMNS.invalidates.includes(kernel)) continue;
    it(`${kernel}: at the start of a pack the whole pack goes, and its header cannot be read any more`, () => {
      const given = withHoleAtStart(kernel);
      given.scene.free(unfinished(given));
      expect(given.scene.story).to.match(/^CP\(448\) \{ .*VF'? \} BUG$/);
    });
  }
});
