import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { openCapture } from '../../../traces/capture/capture.js';

const META = {
  arch: 'x86_64',
  release: '6.1.0',
  version: 'Linux version 6.1.0',
  cmdline: 'nokaslr',
  scenario: 'S1',
  machine: { cpu: 'max', smp: 2, ram_mb: 1024, page_size: 4096 },
  complete: true,
  probes: [
    {
      event: 'vfree',
      symbol: 'vfree',
      meaning: 'm',
      args: [{ name: 'addr', fetch: '$arg1', type: 'x64', meaning: 'm' }],
      ret: [],
    },
  ],
  operations: [
    { phase: 0, t_ns: 1, name: 'start' },
    { op: 1, t_ns: 2, what: 'close', slot: 3, fd: 4 },
    { op: 2, t_ns: 3, what: 'teleport', to: 'mars' },
  ],
};

describe('a capture folder', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pagetrail-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (name: string, text: string): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const putMeta = (change: Record<string, unknown> = {}): void =>
    put('meta.json', JSON.stringify({ ...META, ...change }));
  const failure = () => {
    const capture = openCapture(folder);
    if (capture.ok) throw new Error('opened');
    return capture.error;
  };
  const opened = () => {
    const capture = openCapture(folder);
    if (!capture.ok) throw new Error(JSON.stringify(capture.error));
    return capture.value;
  };

  it('opens with meta.json and a trace alone', () => {
    putMeta();
    put('trace.txt.gz', '');
    const capture = opened();
    expect(capture.phases).to.deep.equal([]);
    expect(capture.tracePath).to.equal(join(folder, 'trace.txt.gz'));
    expect(capture.dmesgPath).to.equal(null);
    expect(capture.meta.operations.length).to.equal(2);
    expect(capture.problems).to.deep.equal(['meta.json: operations[2] teleport: unknown kind, left out']);
  });

  it('lists its dumps by number and says which are missing or too many', () => {
    putMeta({
      operations: [
        { phase: 0, t_ns: 1, name: 'start' },
        { phase: 1, t_ns: 2, name: 'loaded-8' },
      ],
    });
    put('trace.txt', '');
    put('phases/10-later/vmstat.txt', '');
    put('phases/00-start/vmstat.txt', 'direct_map_level2_splits 1\n');
    put('phases/notes.txt', '');
    const capture = opened();
    expect(capture.phases.map((p) => [p.index, p.name])).to.deep.equal([
      [0, 'start'],
      [10, 'later'],
    ]);
    expect(capture.problems).to.deep.equal([
      'phases/notes.txt: not a folder NN-NAME; left out',
      'meta.json: phase 1-loaded-8 has no dump',
      'phases/: dump 10-later is of no phase in meta.json',
    ]);
  });

  it('reads a dump that lacks files and says which', () => {
    putMeta();
    put('trace.txt', '');
    put('phases/00-start/vmstat.txt', 'direct_map_level2_splits 1\n');
    put('phases/00-start/kallsyms.txt', 'nonsense\n');
    put('phases/00-start/pack.hex', 'nonsense\n');
    const capture = opened();
    const [phase] = capture.phases;
    if (phase === undefined) throw new Error('no phase');
    const dump = capture.dump(phase);
    if (!dump.ok) throw new Error(dump.error.what);
    expect(dump.value.vmstat).to.deep.equal({ direct_map_level2_splits: 1 });
    expect(dump.value.absent).to.deep.equal(['pagetable.txt', 'vmallocinfo.txt', 'bpf_jit_limit.txt']);
    expect(dump.value.tlb).to.equal(null);
    expect(dump.value.problems).to.deep.equal([
      'phases/00-start/kallsyms.txt:1: not a kallsyms line: "nonsense"',
    ]);
    expect(dump.value.bytes?.areas).to.deep.equal([]);
    expect(dump.value.problems.length).to.equal(2);
    expect(dump.value.bytes).to.equal(dump.value.bytes);
    rmSync(phase.folder, { recursive: true });
    expect(capture.dump(phase)).to.deep.include({ ok: false });
  });

  it('is refused without folder, meta.json or trace', () => {
    expect(failure()).to.include({ code: 'no-meta', where: join(folder, 'meta.json') });
    putMeta();
    expect(failure()).to.include({ code: 'no-trace', where: folder });
    expect(openCapture(join(folder, 'nowhere'))).to.deep.include({ ok: false });
    expect(openCapture(join(folder, 'meta.json'))).to.deep.include({ ok: false });
  });

  it('names the line where meta.json is not JSON', () => {
    put('trace.txt', '');
    put('meta.json', '{\n "arch": "x86_64",\n "release": oops\n}');
    expect(failure().code).to.equal('bad-json');
    expect(failure().where).to.equal(join(folder, 'meta.json') + ':3');
    put('meta.json', '{\n "arch": "x86_64",\n');
    expect(failure().code).to.equal('bad-json');
  });

  const wrong: readonly (readonly [change: Record<string, unknown>, path: string])[] = [
    [{ arch: 5 }, 'arch: '],
    [{ machine: { cpu: 'max', smp: 2, ram_mb: 1024 } }, 'machine.page_size: '],
    [{ probes: [{ ...META.probes[0], args: [{}] }] }, 'probes[0].args[0].name: '],
    [{ operations: [{ op: 1, t_ns: 2, what: 'close', slot: 'x', fd: 4 }] }, 'operations[0].slot: '],
    [{ operations: [{ t_ns: 2 }] }, 'operations[0].phase: '],
    [{ operations: [5] }, 'operations[0]: '],
  ];
  for (const [change, path] of wrong) {
    it(`names the wrong value at ${path}`, () => {
      put('trace.txt', '');
      putMeta(change);
      expect(failure().code).to.equal('bad-meta');
      expect(failure().what).to.match(new RegExp('^' + path.replace(/[[\]]/g, '\\$&')));
    });
  }
});
