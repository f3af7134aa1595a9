import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { openCapture, type Capture } from '../../../traces/capture/capture.js';
import { importTrace } from '../../../traces/import/import.js';
import { recordingScript } from '../../../traces/probes/script.js';
import { openStore } from '../../../store/index.js';
import { recording } from '../../cli/recording.js';
import { captures } from '../../shared.js';
import { must } from '../../store/given.js';
import { host, type Host, type HostOptions } from './host.js';

const X86_64: Readonly<Record<string, string>> = {
  $arg1: '%di',
  $arg2: '%si',
  $arg3: '%dx',
  $arg4: '%cx',
  $arg5: '%r8',
  $arg6: '%r9',
  $arg7: '$stack1',
  $arg8: '$stack2',
  $arg9: '$stack3',
};
const ARM64: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 9 }, (_, i) => [`$arg${i + 1}`, i < 8 ? `%x${i}` : '$stack0']),
);

/** Arguments that the recordings of some kernels name otherwise, or have besides. */
const CALLED: Readonly<Record<string, string>> = {
  'bpf_jit_free prog': 'fp',
  'bpf_arch_text_poke poke_type': 't',
  '_vm_unmap_aliases arg1': 'start',
  '_vm_unmap_aliases arg2': 'end',
  '_vm_unmap_aliases arg3': 'flush',
};
const BESIDES = new Set(['vmap_pages_range_noflush gfp_mask']);
/** Watched in the lab only. */
const NOT_PROBED =
  /^(?:__change_page_attr|__should_split_large_page|__split_large_page|cpa_process_alias|jit_fill_hole|__vunmap|__execmem_cache_free|execmem_(?:cache_.*|fill_trapping_insns|restore_rox|set_direct_map_valid|vmap)|vmalloc_huge.*|aarch64_insn_patch_text_nosync)$/;

/** The probe lines that a recording's meta.json describes, in registers. */
function recordedProbes({ meta }: Capture): ReadonlyMap<string, string> {
  const registers = meta.arch === 'arm64' ? ARM64 : X86_64;
  const lines = new Map<string, string>();
  for (const { event, args } of meta.probes) {
    const texts = args
      .filter(({ name }) => !BESIDES.has(`${event} ${name}`))
      .map(({ name, fetch, type }) => {
        const place = fetch.replace(/\$arg\d/, (argument) => registers[argument] ?? argument);
        // The one place where only half of a register was looked at.
        return `${CALLED[`${event} ${name}`] ?? name}=${place}:${event === '_vm_unmap_aliases' ? '' : type}`;
      });
    if (!NOT_PROBED.test(event)) lines.set(event, texts.join(' '));
  }
  return lines;
}

/** The probe lines that the script set. */
function setProbes(lines: readonly string[]): ReadonlyMap<string, string> {
  const set = new Map<string, string>();
  for (const line of lines) {
    const [, event, args = ''] = /^p:pagetrail\/(\S+) \S+ ?(.*)$/.exec(line) ?? [];
    if (event !== undefined)
      set.set(event, event === '_vm_unmap_aliases' ? args.replace(/:\w+/g, ':') : args);
  }
  return set;
}

describe('The recording script', function () {
  this.timeout(60_000);
  const hosts: Host[] = [];
  const made = (options: HostOptions): Host => {
    const it = host(options);
    hosts.push(it);
    return it;
  };
  after(() => {
    for (const it of hosts) it.remove();
  });

  for (const shell of ['sh', 'dash', 'bash']) {
    it(`is understood by ${shell}`, function () {
      const { status, stderr, error } = spawnSync(shell, ['-n'], {
        input: recordingScript(),
        encoding: 'utf8',
      });
      if (error !== undefined) this.skip();
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    });
  }

  it('uses nothing that only some shells have', () => {
    const script = recordingScript().replace(/^ *#.*$/gm, '');
    expect(script).not.to.match(/\[\[|^ *function |\blocal |<<<|\bdeclare |&>|^ *source /m);
    expect(script.split('\n').filter((line) => line.length > 500)).to.deep.equal([]);
  });

  const FUNCTIONS = [
    'bpf_int_jit_compile',
    'bpf_prog_pack_alloc',
    'bpf_ksym_add',
    'vfree',
    'vfree.part.0',
    '__text_poke',
  ];

  describe('on a host', () => {
    let at: Host;
    let ran: ReturnType<Host['run']>;
    before(() => {
      at = made({ release: '6.1.0-50-cloud-amd64', functions: FUNCTIONS, trace: recording });
      ran = at.run();
    });

    it('writes a folder that import reads, and says what comes next', async () => {
      expect(ran.err).to.include(`next: pagetrail import ${at.out}`);
      expect(ran.code).to.equal(0);
      expect(readdirSync(at.out).sort()).to.deep.equal([
        'after',
        'kprobe_profile.txt',
        'meta.json',
        'phases',
        'trace.txt',
      ]);
      const store = must(openStore(':memory:'));
      const { report } = must(await importTrace(store, at.out, { name: 'host' }));
      expect(report).to.include({
        kernel: '6.1.0-50-cloud-amd64',
        arch: 'x86_64',
        profile: '6.1',
        divergences: 0,
      });
      store.close();
    });

    it('describes itself in meta.json', () => {
      const { meta, problems } = must(openCapture(at.out));
      expect(problems).to.deep.equal([]);
      expect(meta).to.deep.include({
        arch: 'x86_64',
        release: '6.1.0-50-cloud-amd64',
        complete: true,
        operations: [{ phase: 0, t_ns: 0, name: 'start' }],
      });
      expect(meta.absent).to.include.members(['execmem_alloc', 'set_memory_rox']);
      expect(meta.probes_failed).to.deep.equal([]);
      expect(meta.machine).to.deep.equal({
        cpu: 'A "quoted" \\ name',
        smp: 2,
        ram_mb: 1024,
        page_size: 4096,
      });
      expect(meta.probes.map(({ event, symbol }) => `${event} ${symbol}`)).to.include('vfree vfree.part.0');
    });

    it('begins with a dump of what the kernel said at that moment', () => {
      const capture = must(openCapture(at.out));
      const dump = must(capture.dump(capture.phases[0] as NonNullable<(typeof capture.phases)[0]>));
      expect(dump.symbols.map(({ name }) => name)).to.deep.equal(['bpf_prog_a']);
      expect(dump.areas.map(({ caller }) => caller)).to.deep.equal(['bpf_prog_pack_alloc+0x1/0x2']);
      expect(dump.problems).to.deep.equal([]);
    });

    it('keeps what /proc said afterwards', () => {
      expect(readFileSync(join(at.out, 'after', 'vmstat.txt'), 'utf8')).to.equal(
        'direct_map_level2_splits 1\n',
      );
    });

    it('puts everything back', () => {
      const events = at
        .probes()
        .filter((line) => /^[pr]:/.test(line))
        .map((line) => /pagetrail\/\S+/.exec(line)?.[0]);
      const removed = at
        .probes()
        .filter((line) => line.startsWith('-:'))
        .map((line) => line.slice(2));
      expect(removed).to.have.members(events);
      expect(readFileSync(join(at.folder, 'proc/sys/kernel/kptr_restrict'), 'utf8')).to.equal('0\n');
      expect(readdirSync(at.folder).filter((name) => name.startsWith('tmp.'))).to.deep.equal([]);
    });
  });

  it('passes the exit code of the command on', () => {
    const at = made({ release: '6.1.0', functions: FUNCTIONS });
    expect(at.run(['-o', at.out, 'sh', '-c', 'exit 7']).code).to.equal(7);
  });

  it('records until it is interrupted, and puts everything back then too', async () => {
    const at = made({ release: '6.1.0', functions: FUNCTIONS });
    const { code, err } = await at.interrupted(['-o', at.out]);
    expect(err).to.include('recording until Ctrl-C').and.to.include('next: pagetrail import');
    expect(code).to.equal(0);
    expect(at.probes().some((line) => line.startsWith('-:pagetrail/vfree'))).to.equal(true);
    expect(existsSync(join(at.out, 'meta.json'))).to.equal(true);
  });

  it('counts what did not fit into the buffer', () => {
    const at = made({
      release: '6.1.0',
      functions: FUNCTIONS,
      trace: recording.replace(/entries-written: 43\/43/, 'entries-written: 43/50'),
    });
    expect(at.run().err).to.include('7 events did not fit into the buffer');
    expect(must(openCapture(at.out)).meta.complete).to.equal(false);
  });

  const refusals: readonly (readonly [
    what: string,
    options: Partial<HostOptions>,
    args: readonly string[],
    says: string,
  ])[] = [
    ['a user who is not root', { user: 1000 }, [], 'run this as root'],
    ['a version that is none', { release: 'linux' }, [], 'linux is no kernel version'],
    ['a buffer that is no number', {}, ['-b', 'much'], '-b much: give a number of KiB'],
    ['a folder that exists', {}, ['-o', '.'], '. exists'],
    [
      'a kernel without any of the functions',
      { functions: ['something_else'] },
      [],
      'none of the functions could be probed',
    ],
  ];
  for (const [what, options, args, says] of refusals) {
    it(`refuses ${what}, with exit code 2`, () => {
      const at = made({ release: '6.1.0', functions: FUNCTIONS, ...options });
      const { code, err } = at.run([...args, 'true']);
      expect(err)
        .to.match(/^record: /)
        .and.to.include(says);
      expect(code).to.equal(2);
      expect(existsSync(at.out)).to.equal(false);
    });
  }

  it('says what is lost where the structures of a kernel are not known', () => {
    const at = made({ release: '6.14.0', functions: FUNCTIONS });
    expect(at.run(['-o', at.out, 'true']).err).to.include('struct bpf_prog of this kernel is not known');
    expect(setProbes(at.probes()).get('bpf_int_jit_compile')).to.equal('prog=%di:x64');
  });

  it('asks for fields by name where the kernel knows its types', () => {
    const at = made({ release: '6.14.0', functions: FUNCTIONS, btf: true });
    at.run(['-o', at.out, 'true']);
    expect(setProbes(at.probes()).get('bpf_int_jit_compile')).to.include('jited_len=prog->jited_len:u32');
  });

  it('takes the kernel that it is told instead of asking', () => {
    const at = made({ release: '5.18.0-rc3', functions: FUNCTIONS, kernel: '5.18-rc3-packv2' });
    at.run(['-o', at.out, 'true']);
    expect(setProbes(at.probes()).get('bpf_prog_pack_alloc')).to.equal(
      'size=%di:u32 bpf_fill_ill_insns=%si:x64',
    );
    const other = made({ release: '6.1.0', functions: FUNCTIONS });
    expect(other.run(['-o', other.out, '-k', '5.18', 'true']).code).to.equal(0);
    expect(setProbes(other.probes()).get('bpf_prog_pack_alloc')).to.equal('size=%di:u32');
  });

  describe('probes what the recordings of real kernels have', () => {
    const kernels = new Map<string, string>();
    for (const folder of captures())
      if (/^(?:x86_64|arm64)-/.test(basename(folder)))
        kernels.set(basename(folder).replace(/-S\d.*$/, ''), folder);
    for (const [name, folder] of kernels)
      it(name, () => {
        const capture = must(openCapture(folder));
        const { arch, release, probes } = capture.meta;
        const at = made({
          release,
          machine: arch === 'arm64' ? 'aarch64' : arch,
          functions: probes.map(({ symbol }) => symbol),
          ...(name.includes('packv2') ? { kernel: '5.18-rc3-packv2' } : {}),
        });
        expect(at.run(['-o', at.out, 'true']).err).to.include('next: pagetrail import');
        const wanted = recordedProbes(capture);
        const set = setProbes(at.probes());
        expect(Object.fromEntries(set)).to.deep.equal(Object.fromEntries(wanted));
      });
    if (kernels.size === 0) it('(no recordings here)');
  });
});
