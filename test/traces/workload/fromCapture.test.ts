import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { expect } from 'chai';

import { openCapture } from '../../../traces/capture/capture.js';
import { workloadFromCapture } from '../../../traces/workload/fromCapture.js';

const at = (task: string, text: string): string => `${task.padStart(16)} [000] .....     5.336945: ${text}`;
const marker = (text: string): string => at('workload-86', `tracing_mark_write: ${text}`);
const call = (task: string, event: string, args: string): string =>
  at(task, `${event}: (${event}+0x0/0x40) ${args}`);
const back = (task: string, event: string, args: string): string =>
  at(task, `${event}_ret: (caller+0x1/0x2 <- ${event}) ${args}`);

/** The lines of one pass over a function. */
const compile = (prog: string, chunk: string, code: number): string[] => [
  call(
    'workload-86',
    'bpf_int_jit_compile',
    `prog=${prog} insns=3 jited_len=0 bpf_func=0x0 id=0 func_idx=0 func_cnt=0`,
  ),
  call('workload-86', 'bpf_jit_binary_pack_alloc', `proglen=${code + 3} image_ptr=0x1 alignment=4`),
  call('workload-86', 'bpf_prog_pack_alloc', 'size=64'),
  back('workload-86', 'bpf_prog_pack_alloc', `ret=${chunk}00`),
  back('workload-86', 'bpf_int_jit_compile', `ret=${prog} jited_len=${code} bpf_func=${chunk}1c`),
];
const free = (task: string, chunk: string, code: number): string =>
  call(task, 'bpf_jit_free', `prog=0xa insns=3 jited_len=${code} bpf_func=${chunk}1c`);
const invalidated = (task: string): string => back(task, 'bpf_arch_text_invalidate', 'ret=0');

const loadOp = (op: number, slot: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  op,
  t_ns: op,
  what: 'load',
  slot,
  type: 'xdp',
  insns: 3,
  subprogs: 0,
  name: `p${op}`,
  fd: 4,
  errno: 0,
  ...more,
});
const closeOp = (op: number, slot: number): Record<string, unknown> => ({
  op,
  t_ns: op,
  what: 'close',
  slot,
  fd: 4,
});

describe('a workload from a capture', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pagetrail-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const capture = (operations: unknown[], lines: readonly string[], gzip = false): void => {
    const meta = {
      arch: 'x86_64',
      release: '6.1',
      version: 'v',
      cmdline: '',
      scenario: 'S',
      complete: true,
      probes: [],
      operations,
      machine: { cpu: 'max', smp: 2, ram_mb: 1024, page_size: 4096 },
    };
    writeFileSync(join(folder, 'meta.json'), JSON.stringify(meta));
    const text = ['# tracer: nop', ...lines, ''].join('\n');
    writeFileSync(join(folder, gzip ? 'trace.txt.gz' : 'trace.txt'), gzip ? gzipSync(text) : text);
  };
  const convert = () => {
    const opened = openCapture(folder);
    if (!opened.ok) throw new Error(opened.error.what);
    return workloadFromCapture(opened.value);
  };
  const converted = async () => {
    const result = await convert();
    if (!result.ok) throw new Error(result.error.what);
    return result.value;
  };
  const brief = async (): Promise<unknown[]> => {
    const { workload, notes } = await converted();
    expect(notes).to.deep.equal([]);
    return workload.operations.map((op) => {
      if (op.op === 'free') return `free ${op.program}.${op.function ?? '*'}`;
      if (op.op === 'load')
        return op.during.length === 0 ? `load ${op.program}` : { load: op.program, during: op.during };
      return op.op;
    });
  };

  it('puts a free where it took effect, not where it began', async () => {
    capture(
      [loadOp(1, 0), closeOp(2, 0), loadOp(3, 0)],
      [
        marker('op 1: load slot=0'),
        ...compile('0x1', '0xffffffffc00000', 21),
        marker('op 2: close slot=0'),
        free('kworker/0:1-17', '0xffffffffc00000', 21),
        marker('op 3: load slot=0'),
        ...compile('0x2', '0xffffffffc00001', 21),
        invalidated('kworker/0:1-17'),
      ],
      true,
    );
    expect(await brief()).to.deep.equal(['load p1', 'close', 'load p3', 'free p1.0']);
  });

  it('puts a free before the load whose memory it made room for', async () => {
    capture(
      [loadOp(1, 0), closeOp(2, 0), loadOp(3, 0)],
      [
        marker('op 1: load slot=0'),
        ...compile('0x1', '0xffffffffc00000', 21),
        marker('op 2: close slot=0'),
        marker('op 3: load slot=0'),
        free('kworker/0:1-17', '0xffffffffc00000', 21),
        invalidated('kworker/0:1-17'),
        ...compile('0x2', '0xffffffffc00000', 21),
      ],
    );
    expect(await brief()).to.deep.equal(['load p1', 'close', 'free p1.0', 'load p3']);
  });

  it('puts a free inside a load between the memory of two functions', async () => {
    capture(
      [loadOp(1, 0), closeOp(2, 0), loadOp(3, 0, { subprogs: 1 })],
      [
        marker('op 1: load slot=0'),
        ...compile('0x1', '0xffffffffc00000', 21),
        marker('op 2: close slot=0'),
        marker('op 3: load slot=0'),
        ...compile('0x2', '0xffffffffc00001', 21),
        free('kworker/0:1-17', '0xffffffffc00000', 21),
        invalidated('kworker/0:1-17'),
        ...compile('0x3', '0xffffffffc00000', 21),
      ],
    );
    expect(await brief()).to.deep.equal([
      'load p1',
      'close',
      { load: 'p3', during: [{ after: 1, program: 'p1', function: 0 }] },
    ]);
  });

  it('tells a load the verifier turned down from one that got no memory', async () => {
    capture(
      [loadOp(1, -1, { errno: 13 }), loadOp(2, 1, { errno: 524, privileged: false })],
      [
        marker('op 1: load slot=-1'),
        call('kworker/0:1-17', 'bpf_jit_free', 'prog=0x7 insns=3 jited_len=0 bpf_func=0x0'),
        marker('op 2: load slot=1'),
        call(
          'workload-86',
          'bpf_int_jit_compile',
          'prog=0x8 insns=3 jited_len=0 bpf_func=0xffffffff811f6230',
        ),
        call('workload-86', 'bpf_jit_binary_pack_alloc', 'proglen=868 image_ptr=0x1'),
        back('workload-86', 'bpf_jit_charge_modmem', 'ret=-1'),
        back('workload-86', 'bpf_jit_binary_pack_alloc', 'ret=0x0'),
        back('workload-86', 'bpf_int_jit_compile', 'ret=0x8 jited_len=0 bpf_func=0xffffffff811f6230'),
        call('kworker/0:1-17', 'bpf_jit_free', 'prog=0x8 insns=3 jited_len=0 bpf_func=0xffffffff811f6230'),
      ],
    );
    const { workload } = await converted();
    expect(await brief()).to.deep.equal(['load p1', 'free p1.*', 'load p2', 'free p2.*']);
    expect(workload.operations[0]).to.deep.include({ fails: 'verifier', functions: [], slot: null });
    expect(workload.operations[2]).to.deep.include({
      capable: false,
      recorded: { errno: 524 },
      functions: [{ image: 868, insns: 3, tail_calls: [] }],
    });
    expect(workload.operations[2]).not.to.have.property('fails');
  });

  it('notices a blinded copy', async () => {
    const [entry = '', ...rest] = compile('0x1', '0xffffffffc00000', 21);
    capture(
      [loadOp(1, 0), closeOp(2, 0)],
      [
        marker('op 1: load slot=0'),
        entry,
        back('workload-86', 'bpf_jit_blind_constants', 'ret=0x99'),
        ...rest,
        marker('op 2: close slot=0'),
        free('kworker/0:1-17', '0xffffffffc00000', 21),
      ],
    );
    const { workload } = await converted();
    expect(workload.operations[0]).to.deep.include({ blinded: true });
    expect(workload.operations.at(-1)).to.deep.equal({ op: 'free', program: 'p1', function: 0 });
  });

  it('notes what it leaves out', async () => {
    capture(
      [loadOp(1, 0, { subprogs: 2 }), closeOp(2, 0)],
      [
        ...compile('0x9', '0xffffffffc00009', 5).map((l) => l.replace('workload-86', 'systemd-1')),
        marker('op 1: load slot=0'),
        ...compile('0x1', '0xffffffffc00000', 21),
        'CPU:1 [LOST 7 EVENTS]',
        free('kworker/0:1-17', '0xffffffffc00077', 9),
        call('kworker/0:1-17', 'bpf_jit_free', 'prog=0x7 insns=3 jited_len=0 bpf_func=0x0'),
        marker('op 77: dance'),
      ],
    );
    const { notes } = await converted();
    expect(notes.map((n) => n.replace(/^line \d+: /, ''))).to.deep.equal([
      'a program was compiled outside the operations (systemd); left out',
      'events were lost; the workload may lack steps',
      'a program at 0xffffffffc000771c was freed that no operation loaded; left out',
      'operation 1: 3 functions asked for, 1 compiled',
      'a free of no known program; left out',
      'operation 77 is not in meta.json; left out',
      'operation 2 has no marker in the trace; left out',
    ]);
  });

  it('is refused where the trace has no arguments, or cannot be read', async () => {
    capture(
      [loadOp(1, 0)],
      [marker('op 1: load'), at('workload-86', 'bpf_int_jit_compile <-bpf_prog_select_runtime')],
    );
    const bare = await convert();
    expect(bare.ok ? '' : bare.error.code).to.equal('no-arguments');
    rmSync(join(folder, 'trace.txt'));
    writeFileSync(join(folder, 'trace.txt.gz'), gzipSync('text').subarray(0, 12));
    const cut = await convert();
    expect(cut.ok ? null : cut.error.where).to.equal(join(folder, 'trace.txt.gz'));
    rmSync(join(folder, 'trace.txt.gz'));
    mkdirSync(join(folder, 'trace.txt'));
    const dir = await convert();
    expect(dir.ok ? '' : dir.error.code).to.equal('is-a-directory');
  });
});
