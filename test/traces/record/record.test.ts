import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Result } from '../../../core/value/failure.js';
import { openStore, type Store } from '../../../store/index.js';
import type { Imported } from '../../../traces/import/import.js';
import { recordingScript } from '../../../traces/probes/script.js';
import { record } from '../../../traces/record/record.js';
import { recording } from '../../cli/recording.js';
import { must } from '../../store/given.js';
import { host, type Host, type HostOptions } from '../probes/host.js';

const FUNCTIONS = ['bpf_int_jit_compile', 'bpf_prog_pack_alloc', 'bpf_ksym_add', 'vfree'];

/** The recording as trace_pipe gives it: without a header. */
const LINES = recording.replaceAll(/^#.*\n/gm, '');

describe('Recording this host', function () {
  this.timeout(60_000);
  const hosts: Host[] = [];
  let store: Store;
  beforeEach(() => {
    store = must(openStore(':memory:'));
  });
  afterEach(() => store.close());
  after(() => {
    for (const it of hosts) it.remove();
  });

  const made = (options: Partial<HostOptions> = {}): Host => {
    const it = host({ release: '6.1.0-50-cloud-amd64', functions: FUNCTIONS, ...options });
    hosts.push(it);
    return it;
  };

  /** Records while `text` comes out of trace_pipe, and ends at the first commit after it. */
  const recorded = async (
    at: Host,
    text: string,
    { overrun = 0, dropped = 0 }: { readonly overrun?: number; readonly dropped?: number } = {},
  ): Promise<Result<Imported>> => {
    const end = new AbortController();
    return record(store, {
      name: 'host',
      script: recordingScript(),
      env: at.env,
      signal: end.signal,
      onReady: (instance) => {
        mkdirSync(join(instance, 'per_cpu', 'cpu0'), { recursive: true });
        writeFileSync(
          join(instance, 'per_cpu', 'cpu0', 'stats'),
          `entries: 0\noverrun: ${overrun}\ndropped events: ${dropped}\n`,
        );
        appendFileSync(join(instance, 'trace_pipe'), text);
      },
      onCommit: () => end.abort(),
    });
  };

  it('follows trace_pipe into the log, beginning with a dump', async () => {
    const { report, result } = must(await recorded(made(), LINES));
    expect(report).to.include({ trace: 'host', kernel: '6.1.0-50-cloud-amd64', profile: '6.1', lost: 0 });
    expect(report).to.include({ lines: 43, events: 43, divergences: 0 });
    expect(report.skipped).to.deep.equal({});
    expect(result.log.info.meta['given']).to.equal('start');
    expect(must(store.trace('host')).info.complete).to.equal(true);
  });

  it('makes durable what came before it ends', async () => {
    const at = made();
    const end = new AbortController();
    const seen: number[] = [];
    must(
      await record(store, {
        name: 'host',
        script: recordingScript(),
        env: at.env,
        signal: end.signal,
        onReady: (instance) => appendFileSync(join(instance, 'trace_pipe'), LINES),
        onCommit: () => {
          const trace = store.trace('host');
          if (trace.ok) seen.push(trace.value.info.events);
          end.abort();
        },
      }),
    );
    expect(seen.length).to.be.greaterThan(0);
    expect(seen[0]).to.be.greaterThan(0);
  });

  it('counts what the ring buffer lost, once', async () => {
    const told = `CPU:0 [LOST 5 EVENTS]\n`;
    const { report } = must(await recorded(made(), LINES + told, { overrun: 7, dropped: 2 }));
    expect(report.lost).to.equal(9);
  });

  it('takes the probes away', async () => {
    const at = made();
    must(await recorded(at, LINES));
    const events = at.probes().filter((line) => /^[pr]:/.test(line));
    const removed = at.probes().filter((line) => line.startsWith('-:'));
    expect(events.length).to.be.greaterThan(0);
    expect(removed.length).to.equal(events.length);
    expect(readFileSync(join(at.folder, 'proc/sys/kernel/kptr_restrict'), 'utf8')).to.equal('0\n');
  });

  it('ends at once when its script dies, keeps what was read, and says that the end is not recorded', async () => {
    const at = made();
    const said: string[] = [];
    const { report, result } = must(
      await record(store, {
        name: 'host',
        script: 'echo $$ >"$PAGETRAIL_TEST_PID"\n' + recordingScript(),
        env: { ...at.env, PAGETRAIL_TEST_PID: join(at.folder, 'pid') },
        // Nobody ends it.
        signal: new AbortController().signal,
        onReady: (instance) => appendFileSync(join(instance, 'trace_pipe'), LINES),
        onCommit: () => {
          if (said.length === 0)
            process.kill(Number(readFileSync(join(at.folder, 'pid'), 'utf8')), 'SIGKILL');
          said.push('killed');
        },
        onDied: (why) => said.push(why),
      }),
    );
    expect(said.at(-1)).to.equal('the recording script died (SIGKILL): what happened since is not recorded');
    expect(report).to.include({ events: 43, lost: 1 });
    expect(result.log.info.summary?.['missing']).to.include('SIGKILL');
  });

  it('leaves no probe behind when it is killed', async () => {
    const at = made();
    const script = spawn('sh', ['-c', recordingScript(), 'record', '-f'], { env: at.env });
    await once(script.stdout, 'data');
    script.stdout.destroy();
    script.stderr.destroy();
    script.stdin.destroy();
    await once(script, 'close');
    const events = at.probes().filter((line) => /^[pr]:/.test(line));
    expect(at.probes().filter((line) => line.startsWith('-:')).length).to.equal(events.length);
  });

  const failing = async (at: Host, text: string): Promise<string> => {
    const done = await recorded(at, text);
    if (done.ok) throw new Error('it was recorded');
    return `${done.error.code}: ${done.error.what}; ${done.error.hint ?? ''}`;
  };

  it('says why it cannot: no root, none of the functions, no model of the machine', async () => {
    expect(await failing(made({ user: 1000 }), LINES)).to.equal(
      'cannot-record: run this as root; it sets kprobes',
    );
    expect(await failing(made({ functions: ['something_else'] }), LINES)).to.include(
      'none of the functions could be probed',
    );
    expect(await failing(made({ machine: 'alpha' }), LINES)).to.include('alpha');
  });

  it('says when nothing happened, and leaves no trace', async () => {
    expect(await failing(made(), 'sh-1 [000] ..... 1.000000: tracing_mark_write: phase: start\n')).to.include(
      'nothing-recorded',
    );
    expect(store.trace('host').ok).to.equal(false);
  });

  it('does not touch a trace of the same name', async () => {
    must(await recorded(made(), LINES));
    expect(await failing(made(), LINES)).to.include('conflict');
  });
});
