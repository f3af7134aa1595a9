import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Memory } from '../../../core/memory/memory.js';
import { Address } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import type { TraceLog } from '../../../store/index.js';
import { must } from '../../store/given.js';
import { captureWith, forgetDumps, judge, linesOf } from '../../traces/damage.js';
import { eventsOf, imported, newDesk, phasesOf, recordingsOf, startOf } from '../../traces/recordings.js';

const addressIn = (line: string, name: string): Address => {
  const at = Address.parse(new RegExp(` ${name}=0x(\\w+)`).exec(line)?.[1] ?? '');
  if (at === null) throw new Error(line);
  return at;
};

const memoryAt = (log: TraceLog, phase: string): Memory => {
  for (const [name, memory] of phasesOf(startOf(log), eventsOf(log))) if (name === phase) return memory;
  throw new Error(`no phase ${phase}`);
};

const folderOf = (pattern: RegExp): string => {
  const folder = recordingsOf(pattern)[0];
  if (folder === undefined) throw new Error(`no recording ${String(pattern)}`);
  return folder;
};

describe('what an abandoned call would still have done', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);
  after(forgetDumps);
  const store = desk.store();
  let n = 0;

  /** The recording without the last line (before a phase) that matches. */
  const importWithout = async (
    folder: string,
    pattern: RegExp,
    before = /phase: end/,
  ): Promise<{ log: TraceLog; line: string; unmodelled: number }> => {
    const lines = linesOf(folder);
    const stop = lines.findIndex((line) => before.test(line));
    const at = lines.slice(0, stop).findLastIndex((line) => pattern.test(line));
    expect(at, String(pattern)).to.be.above(0);
    const copy = captureWith(folder, lines.toSpliced(at, 1), mkdtempSync(join(desk.folder, 'copy-')));
    const { report } = await imported(store, copy, { name: `without ${n++}` });
    const log = must(store.trace(report.trace));
    return { log, line: lines[at] as string, unmodelled: report.calls.unmodelled };
  };

  it('is unknown: a permission that no line shows', async () => {
    // The only step that makes the last page of 5.10 read-only.
    const folder = folderOf(/^5\.10-S1$/);
    const { log, line } = await importWithout(
      folder,
      / __change_page_attr_set_clr: .*checkalias=1 .*mask_clr=0x2 /,
      /phase: loaded8/,
    );
    const { page } = addressIn(line, 'vaddr');
    const entry = Memory.page(memoryAt(log, 'loaded8'), page);
    expect(Prot.toText(entry?.prot ?? 0)).to.equal('???');
  });

  it('is taken for done: an area that is being freed is gone', async () => {
    const folder = folderOf(/^5\.10-S1$/);
    const { log, line } = await importWithout(folder, / remove_vm_area: /, /phase: freed3/);
    const { page } = addressIn(line, 'addr');
    const memory = memoryAt(log, 'freed3');
    expect(Memory.page(memory, page)).to.equal(null);
    expect(Memory.areaAt(memory, page)?.state ?? 'gone').to.not.equal('live');
    expect(judge(log, folder).flatMap((moment) => moment.differences)).to.deep.equal([]);
  });

  it('is taken for done: a chunk that is being freed is free, and the next allocation is predicted', async () => {
    const folder = folderOf(/^6\.1-S1$/);
    const { log } = await importWithout(folder, / bpf_prog_pack_free: /, /phase: freed3/);
    expect(eventsOf(log).filter((event) => event.kind === 'chosen' && event.what === 'chunk')).to.deep.equal(
      [],
    );
    const divergences = eventsOf(log).filter((event) => event.kind === 'divergence');
    expect(divergences.map((event) => event.id)).to.deep.equal(['missing-call']);
  });

  it('is unknown: what a copy has written', async () => {
    const folder = folderOf(/^6\.1-S1$/);
    const { log } = await importWithout(folder, / __text_poke: .*addr=0xffffffffc0/, /phase: loaded8/);
    const moments = judge(log, folder);
    expect(moments.flatMap((moment) => moment.differences)).to.deep.equal([]);
    const { moments: whole } = {
      moments: judge(must(store.trace((await imported(store, folder)).report.trace)), folder),
    };
    expect(moments[0]?.bytes_unknown).to.be.above(whole[0]?.bytes_unknown ?? Infinity);
  });

  it('stays known: what the lines behind it show', async () => {
    const folder = folderOf(/^6\.1-S1$/);
    for (const pattern of [
      / text_poke_copy_ret: /,
      / bpf_jit_binary_pack_alloc_ret: /,
      / bpf_arch_text_copy: /,
    ]) {
      const { log, unmodelled } = await importWithout(folder, pattern, /phase: loaded8/);
      expect(unmodelled, String(pattern)).to.be.above(0);
      for (const moment of judge(log, folder)) {
        expect(moment.differences, String(pattern)).to.deep.equal([]);
        expect(moment.pages_unknown, `${String(pattern)}: pages unknown`).to.equal(0);
      }
    }
  });
});
