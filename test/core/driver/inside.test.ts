import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imported, newDesk } from '../../traces/recordings.js';
import { churn, emulation, linesOf, textOf, type SyntheticLine } from '../../traces/synthetic.js';

/** bpf_jit_free under another name, which no model knows, and without what it calls first. */
const renamed = (line: SyntheticLine): SyntheticLine[] => {
  if (line.kind !== 'call') return [line];
  if (line.fn === 'bpf_jit_binary_pack_free') return [];
  if (line.fn !== 'bpf_jit_free') return [line];
  const fn = 'some_driver_free';
  const none = { id: 0, names: [], forms: [], text: [] };
  const event = line.isReturn ? `${fn}_ret` : fn;
  return [
    { ...line, fn, event, callee: fn, place: 'caller+0x1/0x2', signature: none, hi: [], lo: [], texts: null },
  ];
};

describe('a call that has a model, inside one that has none', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);

  it('is followed', async () => {
    const kernel = '6.1';
    const events = emulation(churn(60), kernel);
    const path = join(desk.folder, 'inside.txt');
    writeFileSync(path, textOf(linesOf(events, kernel).flatMap(renamed)));
    const plain = join(desk.folder, 'plain.txt');
    writeFileSync(plain, textOf(linesOf(events, kernel)));
    const { report, result, divergences } = await imported(desk.store('inside'), path, { profile: kernel });
    const expected = await imported(desk.store('plain'), plain, { profile: kernel });
    const used = (memory: typeof result.memory): number[] => memory.packs.map(({ usedChunks }) => usedChunks);
    expect(divergences).to.deep.equal([]);
    expect(used(result.memory)).to.deep.equal(used(expected.result.memory));
    const frees = events.filter((event) => event.kind === 'entered' && event.fn === 'bpf_jit_free').length;
    expect(frees).to.be.above(5);
    expect(report.calls.unmodelled, 'lines of the unknown call only').to.equal(2 * frees);
  });
});
