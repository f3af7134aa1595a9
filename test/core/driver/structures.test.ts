/** FINDINGS.md, S6: where no memory is left for its image, a program of 7.2 runs in the interpreter, and its structure becomes read-only. */
import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Memory } from '../../../core/memory/memory.js';
import { Prot } from '../../../core/value/prot.js';
import { renderHeader } from '../../../traces/ftrace/render.js';
import { imported, newDesk } from '../../traces/recordings.js';

const PROG = '0xffffc900004e1000';
const ALIAS = '0xffff888005123000';
const PFN = 0x5123;
const NO_MASK = 'mask_set=0x0';

interface Call {
  readonly fn: string;
  readonly args: string;
  readonly ret?: string;
  readonly inside?: readonly Call[];
}
const call = (fn: string, args: string, ret = '', inside: readonly Call[] = []): Call => ({
  fn,
  args,
  ret,
  inside,
});

const cpa = (
  primary: number,
  vaddr: string,
  masks: string,
  pfn: string,
  inside: readonly Call[] = [],
): Call =>
  call(
    '__change_page_attr_set_clr',
    `cpa=0xffffc900004a7840 primary=${primary} vaddr=${vaddr} ${masks} numpages=1 curpage=0 pfn=${pfn} flags=0x0`,
    'ret=0',
    inside,
  );
const purge = (range: string, inside: readonly Call[], purged: number): Call =>
  call('_vm_unmap_aliases', range, '', [
    call(
      '__purge_vmap_area_lazy',
      `${range.replace(/ flush=\d/, '')} full_pool_decay=0`,
      `ret=${purged}`,
      inside,
    ),
  ]);
const CLEAR = `${NO_MASK} mask_clr=0x42`;

const protect = call('set_memory_ro', `addr=${PROG} numpages=1`, 'ret=0', [
  call(
    'change_page_attr_set_clr',
    `addr=0xffffc900004a78c0 numpages=1 ${CLEAR} force_split=0 in_flag=0 pages=0x0 vaddr=${PROG}`,
    'ret=0',
    [
      purge('start=0xffffffffffffffff end=0x0 flush=0', [], 0),
      cpa(1, PROG, CLEAR, '0x0', [cpa(0, ALIAS, CLEAR, '0x5123')]),
      call(
        'cpa_flush',
        `cpa=0xffffc900004a7840 cache=0 vaddr=${PROG} ${CLEAR} numpages=1 curpage=1 pfn=0x5123 flags=0x0`,
      ),
    ],
  ),
]);
const STRUCT_PAGE = 'page=0xffffea00001448c0';
/** vfree of the structure itself is filtered: it lies outside the module area. */
const free = call(
  'bpf_jit_free',
  `prog=${PROG} insns=10 jited_len=0 bpf_func=0xffffffff815a5540 id=0 func_idx=0 func_cnt=0`,
  '',
  [
    call('set_direct_map_invalid_noflush', STRUCT_PAGE, 'ret=0', [
      cpa(1, ALIAS, `${NO_MASK} mask_clr=0x43`, '0x0'),
    ]),
    purge(
      `start=${ALIAS} end=0xffff888005124000 flush=1`,
      [call('flush_tlb_kernel_range', `start=${ALIAS} end=0xffffc900004e3000`)],
      1,
    ),
    call('set_direct_map_default_noflush', STRUCT_PAGE, 'ret=0', [
      cpa(1, ALIAS, 'mask_set=0x3 mask_clr=0x0', '0x0'),
    ]),
  ],
);

const text = (roots: readonly Call[]): string => {
  const lines: string[] = [];
  const line = (body: string): void => {
    const at = String(lines.length).padStart(6, '0');
    lines.push(`        workload-104     [001] .....    18.${at}: ${body}`);
  };
  const write = ({ fn, args, ret, inside }: Call): void => {
    line(`${fn}: (${fn}+0x4/0x700) ${args}`);
    inside?.forEach(write);
    line(`${fn}_ret: (caller+0x1/0x2 <- ${fn}) ${ret}`.trimEnd());
  };
  roots.forEach(write);
  return renderHeader(lines.length, 2) + lines.map((each) => `${each}\n`).join('');
};

describe('a bpf_prog that is made read-only (7.2)', () => {
  const desk = newDesk();
  after(desk.end);
  const end = async (name: string, roots: readonly Call[]): Promise<Memory> => {
    const path = join(desk.folder, `${name}.txt`);
    writeFileSync(path, text(roots));
    const { divergences, report, result } = await imported(desk.store(name), path, { profile: '7.2' });
    expect(divergences).to.deep.equal([]);
    expect(report.calls.unmodelled).to.equal(0);
    return result.memory;
  };
  const page = 0xffffc900004e1;

  it('is known by its frame, and so is the alias', async () => {
    const memory = await end('protected', [protect]);
    expect(Memory.page(memory, page)?.frame).to.equal(PFN);
    expect(Prot.toText(Memory.page(memory, page)?.prot ?? 0)).to.match(/^r-/);
    expect(Prot.toText(Memory.alias(memory, PFN)?.prot ?? 0)).to.equal('r--');
  });

  it('is gone when it is freed, and its alias writable again; another one may come to the same place', async () => {
    // That bpf_jit_free has a line at its end is learned from the first one.
    const nothing = { ...free, inside: [] };
    const memory = await end('freed', [nothing, protect, free, protect, free]);
    expect(Memory.page(memory, page)).to.equal(null);
    expect(Prot.toText(Memory.alias(memory, PFN)?.prot ?? 0)).to.equal('rw-');
  });
});
