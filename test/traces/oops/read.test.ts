import { expect } from 'chai';
import type { Oops } from '../../../core/oops/oops.js';
import { consoleLine } from '../../../traces/oops/console.js';
import { readConsole } from '../../../traces/oops/read.js';
import { oopsText } from './fixtures.js';

const only = (text: string): Oops => {
  const { oopses } = readConsole(text);
  expect(oopses).to.have.length(1);
  return oopses[0] as Oops;
};

describe('a console line', () => {
  const text = 'BUG: unable to handle page fault for address: ffff888007203000';
  const stamped = 6512034000n;
  for (const [what, line, time, caller] of [
    ['without prefix', text, null, null],
    ['with a time', `[    6.512034] ${text}`, stamped, null],
    ['with a time and a task', `[    6.512034][   T41] ${text}`, stamped, 'T41'],
    ['with a time and a CPU', `[    6.512034][    C0] ${text}`, stamped, 'C0'],
    ['with a level', `<1>[    6.512034] ${text}`, stamped, null],
    ['of the journal', `Sep 21 17:06:49 host kernel: ${text}`, null, null],
    ['of syslog', `Jul 11 00:19:28 xb kernel: [    6.512034] ${text}`, stamped, null],
    ['of rsyslog', `2026-11-22T10:11:12.123456+00:00 host kernel: [    6.512034] ${text}`, stamped, null],
    ['of the journal without host', `Sep 21 17:06:49 kernel: ${text}`, null, null],
    ['of netconsole', `1,1234,6512034,-,caller=T41;${text}`, stamped, 'T41'],
    ['with the wall clock', `[Mon Sep 21 17:06:49 2026] ${text}`, null, null],
    ['of a serial console', `[    6.512034] ${text}\r`, stamped, null],
    ['in a mail', `> > [    6.512034] ${text}`, stamped, null],
    ['with colours', `\u001b[1;31m[    6.512034] ${text}\u001b[0m`, stamped, null],
  ] as const)
    it(`${what} is read`, () => {
      const read = consoleLine(line, 1);
      expect({ text: read.text, time: read.time, caller: read.caller }).to.deep.equal({ text, time, caller });
    });

  it('keeps what looks like a prefix and is none', () => {
    const walk = '[ffff800008ec4010] pgd=10000000bffff003, p4d=10000000bffff003';
    expect(consoleLine(walk, 1).text).to.equal(walk);
    expect(consoleLine(`[   19.120020] ${walk}`, 1).text).to.equal(walk);
    expect(consoleLine('[   19.120020]   ESR = 0x8600000f', 1).text).to.equal('  ESR = 0x8600000f');
  });
});

describe('an x86 oops', () => {
  it('is read whole, without what other tasks and CPUs printed in between', () => {
    const oops = only(oopsText('x86-write-to-read-only-text'));
    expect(oops).to.deep.include({
      arch: 'x86_64',
      kind: 'page-fault',
      line: 2,
      time: 7950121000n,
      headline: 'BUG: unable to handle page fault for address: ffffffffc0000664',
      address: 0xffffffffc0000664n,
      access: 'write',
      present: true,
      code: 3n,
      reason: 'permissions violation',
      cpu: 1,
      pid: 97,
      comm: 'insmod',
      release: '6.1.0-50-cloud-amd64',
      modules: ['fasthook', 'binfmt_misc', 'virtio_net'],
    });
    expect(oops.entries.map(({ level, raw }) => `${level} ${raw?.toString(16)}`)).to.deep.equal([
      'pgd 2a0d067',
      'p4d 2a0d067',
      'pud 2a0f067',
      'pmd 3f3f067',
      'pte 3f3e161',
    ]);
    expect(oops.pc).to.deep.equal({
      address: null,
      symbol: 'hook_install',
      offset: 0x3c,
      size: 0x70,
      module: 'fasthook',
    });
    expect(oops.registers).to.include({
      CR2: 0xffffffffc0000664n,
      RSP: 0xffffc9000042bc50n,
      R15: 0xffffea00001c8000n,
    });
    expect(oops.trace.map(({ symbol, reliable }) => `${reliable ? '' : '? '}${symbol}`)).to.deep.equal([
      'fasthook_init',
      '? null',
      'do_one_initcall',
      'do_init_module',
      '__do_sys_finit_module',
      'do_syscall_64',
      'entry_SYSCALL_64_after_hwframe',
    ]);
    expect(oops.raw.join('\n')).to.not.match(/clocksource|random/);
  });

  it('of an NX page begins with the note before it', () => {
    const oops = only(oopsText('x86-nx-fetch'));
    expect(oops).to.include({ line: 1, access: 'execute', present: true, code: 0x11n });
    expect(oops.headline).to.match(/^BUG: unable to handle page fault/);
  });

  it('that is a trap tells the instruction before the one that comes next', () => {
    const oops = only(oopsText('x86-int3-in-freed-chunk'));
    expect(oops).to.include({ kind: 'trap', access: 'execute', address: 0xffffffffc0000790n, code: null });
  });

  it('of an old kernel is read: one level a line, addresses in brackets', () => {
    const oops = only(
      [
        '[ 3496.150121] kernel tried to execute NX-protected page - exploit attempt? (uid: 1000, task: Xorg, pid: 3433)',
        '[ 3496.163060] BUG: unable to handle kernel paging request at ffffc9000c6ffb80',
        '[ 3496.169720] IP: [<ffffc9000c6ffb80>] 0xffffc9000c6ffb80',
        '[ 3496.176424] PGD 8000000002c31063 ',
        '[ 3496.176489] PUD 32300a063 ',
        '[ 3496.183192] PMD 2e32bb063 ',
        '[ 3496.183222] PTE 80000002d702b163',
        '[ 3496.189987] ',
        '[ 3496.196651] Oops: 0011 [#1] SMP',
        '[ 3496.203281] CPU: 1 PID: 3433 Comm: Xorg Not tainted 4.9.65-unofficial #1',
        '[ 3496.210024] RIP: 0010:[<ffffc9000c6ffb80>]  [<ffffc9000c6ffb80>] 0xffffc9000c6ffb80',
      ].join('\n'),
    );
    expect(oops).to.include({
      address: 0xffffc9000c6ffb80n,
      access: 'execute',
      release: '4.9.65-unofficial',
    });
    expect(oops.entries.map(({ level }) => level)).to.deep.equal(['pgd', 'pud', 'pmd', 'pte']);
    expect(oops.pc?.address).to.equal(0xffffc9000c6ffb80n);
  });

  it('of a new kernel is read: its die line says Oops twice, and names the user', () => {
    const oops = only(
      [
        'BUG: unable to handle page fault for address: ffffffffc0601000',
        '#PF: supervisor write access in kernel mode',
        '#PF: error_code(0x0003) - permissions violation',
        'PGD 3e0e067 P4D 3e0e067 PUD 3e0f063 PMD BAD',
        'Oops: Oops: 0003 [#2] SMP NOPTI',
        'CPU: 3 UID: 0 PID: 85 Comm: a b-c Tainted: G    B   W        N  6.16.0-rc4+ #458 PREEMPT(voluntary)',
      ].join('\n'),
    );
    expect(oops).to.include({
      code: 3n,
      cpu: 3,
      pid: 85,
      comm: 'a b-c',
      release: '6.16.0-rc4+',
      tainted: 'G    B   W        N',
    });
    expect(oops.entries.at(-1)).to.deep.equal({ level: 'pmd', raw: null });
  });

  it('of a bad address keeps it', () => {
    const oops = only(
      'general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP\nRIP: 0010:list_del+0x4/0x60',
    );
    expect(oops).to.include({ kind: 'general-protection', address: 0xdead000000000122n, access: null });
  });
});

describe('an arm64 oops', () => {
  it('is read whole', () => {
    const oops = only(oopsText('arm64-write-to-alias-of-other-page'));
    expect(oops).to.deep.include({
      arch: 'arm64',
      kind: 'page-fault',
      address: 0xffff0000080720c0n,
      access: 'write',
      present: true,
      code: 0x9600004fn,
      granule: { shift: 12, addressBits: 48 },
      cpu: 1,
      pid: 412,
      comm: 'loader',
      release: '6.12.101+deb13-cloud-arm64',
    });
    expect(oops.entries).to.have.length(5);
    expect(oops.pc?.symbol).to.equal('__memset');
    expect(oops.lr?.module).to.equal('fasthook');
    expect(oops.registers).to.include({
      x0: 0xffff0000080720c0n,
      x29: 0xffff80008a5f3c10n,
      sp: 0xffff80008a5f3c10n,
    });
    expect(oops.trace[1]).to.include({ symbol: 'hook_scratch_clear', module: 'fasthook' });
  });

  it('is read from the journal, and between lines of others', () => {
    expect(only(oopsText('arm64-nx-fetch'))).to.include({
      access: 'execute',
      present: true,
      time: 19120009000n,
    });
    const freed = only(oopsText('arm64-fetch-freed-program'));
    expect(freed).to.include({ access: 'execute', present: false });
    expect(freed.raw.join('\n')).to.not.include('rcu_preempt');
  });

  it('of a BRK has its syndrome in the die line', () => {
    expect(only(oopsText('arm64-trap-in-live-program'))).to.include({
      kind: 'trap',
      code: 0xf2000100n,
      access: 'execute',
    });
  });
});

describe('a text', () => {
  it('with several oopses gives all of them, in order', () => {
    const text = ['x86-nx-fetch', 'arm64-nx-fetch', 'x86-fetch-freed-program'].map(oopsText).join('');
    expect(
      readConsole(text).oopses.map(({ arch, address }) => `${arch} ${address?.toString(16)}`),
    ).to.deep.equal(['x86_64 ffffffffa0203018', 'arm64 ffff800008ec4010', 'x86_64 ffffffffa0203a6c']);
  });

  it('in which two tasks fault at once gives both', () => {
    const [a, b] = ['x86-nx-fetch', 'x86-fetch-freed-program'].map((name, i) =>
      oopsText(name)
        .trimEnd()
        .split('\n')
        .map((text) => text.replace('] ', `][   T${i + 1}] `)),
    ) as [string[], string[]];
    const mixed = a.flatMap((text, i) => [text, ...b.slice(i, i + 1)]).concat(b.slice(a.length));
    const { oopses } = readConsole(mixed.join('\n'));
    expect(oopses.map(({ address, comm }) => `${address?.toString(16)} ${comm}`)).to.deep.equal([
      'ffffffffa0203018 workload',
      'ffffffffa0203a6c ksoftirqd/0',
    ]);
  });

  it('in which a headline is printed twice, or that is indented, gives the oops once', () => {
    const own = [
      'Unable to handle kernel paging request at virtual address ffffc04000004000',
      'Mem abort info:',
      '  ESR = 0x0000000096000005',
      'Unable to handle kernel paging request at virtual address ffffc04000004000',
      'swapper pgtable: 16k pages, 47-bit VAs, pgdp=000000000148c000',
      '[ffffc04000004000] pgd=0000000000000000',
      'Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP',
      'pc : string_stream_clear+0x54/0x1ac',
    ];
    for (const prefix of ['', '> ', '>         ', '    ']) {
      const oops = only(own.map((text) => prefix + text).join('\n'));
      expect(oops).to.deep.include({
        code: 0x96000005n,
        granule: { shift: 14, addressBits: 47 },
        address: 0xffffc04000004000n,
      });
      expect(oops.entries).to.have.length(1);
      expect(oops.pc?.symbol).to.equal('string_stream_clear');
    }
  });

  it('without one gives none', () => {
    expect(readConsole('[    1.0] nothing happened\n')).to.deep.include({ oopses: [], dump: null });
    expect(readConsole('').oopses).to.deep.equal([]);
  });

  it('cut anywhere is read without an exception', () => {
    const text = oopsText('x86-write-to-read-only-text') + oopsText('arm64-nx-fetch');
    for (let at = 0; at < text.length; at += 7) {
      const { oopses } = readConsole(text.slice(0, at));
      expect(oopses.length).to.be.within(at > 100 ? 1 : 0, 2);
    }
  });
});
