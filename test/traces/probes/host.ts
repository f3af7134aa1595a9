import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingScript } from '../../../traces/probes/script.js';

/** A host made of files: tracefs that takes every probe, /proc, and the few commands that must not be the real ones. */
export interface Host {
  readonly folder: string;
  /** For a script that is to see this host instead of the real one. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the recording is written. */
  readonly out: string;
  /** Lines of kprobe_events. */
  readonly probes: () => readonly string[];
  readonly run: (args?: readonly string[]) => { readonly code: number | null; readonly err: string };
  /** The same, interrupted (SIGINT) once it says that it records. */
  readonly interrupted: (
    args: readonly string[],
  ) => Promise<{ readonly code: number | null; readonly err: string }>;
  readonly remove: () => void;
}

export interface HostOptions {
  readonly release: string;
  readonly machine?: string;
  /** Functions of the kernel. */
  readonly functions: readonly string[];
  /** What the ring buffer holds at the end. */
  readonly trace?: string;
  readonly kernel?: string;
  readonly btf?: boolean;
  readonly user?: number;
}

const executable = (path: string, text: string): void => {
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
};

export function host(options: HostOptions): Host {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-host-'));
  const at = (...parts: readonly string[]): string => join(folder, ...parts);
  for (const name of ['bin', 'proc/sys/kernel', 'proc/sys/net/core', 'tracefs/instances'])
    mkdirSync(at(name), { recursive: true });
  const files: Readonly<Record<string, string>> = {
    'tracefs/trace': '',
    'tracefs/kprobe_events': '',
    'tracefs/kprobe_profile': '  bpf_prog_pack_alloc    10    0\n',
    'tracefs/available_filter_functions': `${options.functions.join('\n')}\n`,
    'proc/cpuinfo': 'processor : 0\nmodel name : A "quoted" \\ name\nprocessor : 1\nmodel name : B\n',
    'proc/meminfo': 'MemTotal: 1048576 kB\nMemAvailable: 900000 kB\n',
    'proc/version': 'Linux version of a test\n',
    'proc/cmdline': 'quiet\n',
    'proc/kallsyms': 'ffffffffc0000664 t bpf_prog_a\t[bpf]\nffffffff81000000 T a_function\n',
    'proc/vmallocinfo': '0xffffffffc0000000-0xffffffffc0201000 2101248 bpf_prog_pack_alloc+0x1/0x2\n',
    'proc/vmstat': 'nr_free_pages 1\ndirect_map_level2_splits 1\n',
    'proc/sys/kernel/kptr_restrict': '0\n',
    'proc/sys/net/core/bpf_jit_limit': '528482304\n',
    btf: '',
    'given-trace': options.trace ?? '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(...name.split('/')), text);
  executable(at('bin', 'id'), `echo ${options.user ?? 0}\n`);
  executable(
    at('bin', 'uname'),
    `case $1 in -m) echo ${options.machine ?? 'x86_64'} ;; *) echo '${options.release}' ;; esac\n`,
  );
  executable(at('bin', 'mount'), 'exit 1\n');
  // tracefs makes the files of an instance by itself.
  executable(
    at('bin', 'mkdir'),
    `/bin/mkdir "$@" || exit 1\nfor d in "$@"; do case $d in */instances/*)\n` +
      `for e in ${options.functions.join(' ')}; do /bin/mkdir -p "$d/events/pagetrail/$e" "$d/events/pagetrail/$e""_ret"; done\n: > "$d/trace_pipe" ;; esac; done\n`,
  );
  writeFileSync(at('record.sh'), recordingScript(options.kernel ?? 'auto'));
  const out = at('capture');
  const env = {
    PATH: `${at('bin')}:${process.env['PATH'] ?? ''}`,
    TRACEFS: at('tracefs'),
    PROC: at('proc'),
    BTF: options.btf === true ? at('btf') : at('no-btf'),
    TMPDIR: folder,
  };
  return {
    folder,
    env,
    out,
    probes: () => readFileSync(at('tracefs', 'kprobe_events'), 'utf8').trimEnd().split('\n'),
    run: (args = ['-o', out, 'cp', at('given-trace'), at('tracefs', 'instances', 'pagetrail', 'trace')]) => {
      const { status, stderr } = spawnSync('sh', [at('record.sh'), ...args], {
        env,
        encoding: 'utf8',
        cwd: folder,
      });
      return { code: status, err: stderr };
    },
    interrupted: (args) =>
      new Promise((resolve) => {
        const child = spawn('sh', [at('record.sh'), ...args], { env, cwd: folder });
        let err = '';
        child.stderr.on('data', (text: Buffer) => {
          const before = err.includes('Ctrl-C');
          err += text.toString();
          if (!before && err.includes('Ctrl-C')) child.kill('SIGINT');
        });
        child.on('close', (code) => {
          resolve({ code, err });
        });
      }),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
