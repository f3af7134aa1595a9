import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadOperation, Workload } from '../../../core/workload/workload.js';
import { imported, newDesk } from '../../traces/recordings.js';
import { emulation, linesOf, textOf } from '../../traces/synthetic.js';

const load = (slot: number, image: number): LoadOperation => ({
  op: 'load',
  program: `p${slot}`,
  slot,
  type: 'xdp',
  insns: 20,
  capable: true,
  blinded: false,
  functions: [{ image, tail_calls: [] }],
  during: [],
});
/** Larger than the pack of one node, smaller than that of two. */
const workload: Workload = {
  pagetrail_workload: 1,
  name: 'nodes',
  operations: [load(1, 3_000_000), load(2, 400)],
};

describe('the number of NUMA nodes', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);

  for (const kernel of ['5.18-rc5-packv2-huge', '6.1', '7.2'])
    it(`${kernel}: shows in the first pack, also where alloc_new_pack is recorded and the first image is larger than 2 MiB`, async () => {
      const more = new Map([
        ['alloc_new_pack', { args: ['bpf_fill_ill_insns'], results: ['ret'] }],
        ['module_alloc_huge', { args: ['size'], results: ['ret'] }],
      ]);
      const path = join(desk.folder, `${kernel}.txt`);
      const lines = linesOf(emulation(workload, kernel, 1, 2), kernel, more);
      writeFileSync(path, textOf(lines));
      const { divergences, result } = await imported(desk.store(kernel), path, { profile: kernel });
      expect(divergences).to.deep.equal([]);
      expect(result.memory.packs.map(({ bytes }) => bytes)).to.deep.equal([0x400000]);
    });
});
