import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { bundledRecording } from '../../traces/bundledRecordings.js';
import { forge, tamper } from '../store/given.js';
import { lossy, other, recording } from './recording.js';
import { sarifValidator } from '../sarif.js';
import { place, type Place } from './run.js';

interface EventLine {
  readonly seq: number;
  readonly kind: string;
  readonly task: string;
}

const eventsIn = (out: string): readonly EventLine[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as EventLine);

describe('A log', () => {
  let at: Place;
  before(async () => {
    at = place();
    at.put('small.txt', recording);
    at.put('other.txt', other);
    at.put('lossy.txt', lossy);
    for (const name of ['small', 'other', 'lossy']) await at.run(['import', `${name}.txt`]);
    await at.run(['import', bundledRecording('x86_64-6.1-S1-pack-basic'), '--name', 'S1']);
  });
  after(() => at.remove());

  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { out, err } = await at.run([...args, '--json']);
    expect(err).to.equal('');
    return JSON.parse(out) as Record<string, unknown>;
  };

  const wrong = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await at.run(args);
    expect(code).to.equal(2);
    expect(out).to.equal('');
    expect(err).to.match(/^pagetrail: [^\n]+\n$/);
    return err;
  };

  const seqs = async (from: string, to: string): Promise<readonly number[]> => {
    const { out } = await at.run(['events', 'small', '--from', from, '--to', to, '--jsonl']);
    return eventsIn(out).map(({ seq }) => seq);
  };

  const copy = async (name: string, change: (file: string) => void): Promise<string> => {
    at.put('again.txt', recording);
    await at.run(['import', 'again.txt', '--db', name]);
    change(at.path(name));
    return name;
  };

  describe('traces', () => {
    it('are listed in the order in which they came', async () => {
      const { traces, removed } = await json('traces');
      expect((traces as { trace: string }[]).map(({ trace }) => trace)).to.deep.equal([
        'small',
        'other',
        'lossy',
        'S1',
      ]);
      expect(removed).to.deep.equal([]);
      expect((traces as object[])[2]).to.include({
        source: 'recording',
        profile: '6.1',
        complete: true,
        lost: 12,
      });
    });

    it('show as a table, without colours', async () => {
      const { out } = await at.run(['traces']);
      expect(out).to.match(/^trace +source +kernel +as +events +size +root\n/);
      expect(out).not.to.include('\u001b');
    });

    it('show in colours on a terminal, unless NO_COLOR or --no-color say otherwise', async () => {
      expect((await at.run(['traces'], { terminal: true })).out).to.include('\u001b[');
      expect((await at.run(['traces', '--no-color'], { terminal: true })).out).not.to.include('\u001b[');
      expect((await at.run(['traces'], { terminal: true, env: { NO_COLOR: '1' } })).out).not.to.include(
        '\u001b[',
      );
    });
  });

  describe('events', () => {
    it('are all there as JSON Lines, in order', async () => {
      const { out } = await at.run(['events', 'small', '--jsonl']);
      const events = eventsIn(out);
      expect(events.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 57 }, (_, i) => i + 1));
      expect(events[0]).to.include({ kind: 'marker', task: 'workload-85', text: 'phase: start' });
    });

    it('can be cut out by numbers, markers and times, ends included', async () => {
      expect(await seqs('10', '12')).to.deep.equal([10, 11, 12]);
      expect(await seqs('#loaded', '36')).to.deep.equal([34, 35, 36]);
      expect(await seqs('11.966s', 'end')).to.deep.equal([55, 56, 57]);
    });

    it('can be chosen by kind and task', async () => {
      const { out } = await at.run(['events', 'small', '--kind', 'chunk-allocated,chunk-freed', '--jsonl']);
      expect(eventsIn(out).map(({ kind }) => kind)).to.deep.equal(['chunk-allocated', 'chunk-freed']);
      for (const task of ['kworker/0:2-51', 'kworker/0:2', '51']) {
        const { out: own } = await at.run(['events', 'small', '--task', task, '--jsonl']);
        expect(new Set(eventsIn(own).map((event) => event.task))).to.deep.equal(new Set(['kworker/0:2-51']));
      }
    });

    it('are one JSON value with --json', async () => {
      const { events, ...of } = await json('events', 'small', '--from', '3', '--to', '4');
      const { time_origin_ns, ...rest } = of;
      expect(rest).to.deep.equal({ trace: 'small', from: 3, to: 4 });
      expect(time_origin_ns).to.match(/^[1-9]\d+$/);
      expect(events).to.have.length(2);
    });

    it('show what a call did below it, at the times of the recording', async () => {
      const { out } = await at.run(['events', 'small', '--from', '20', '--to', '22']);
      expect(out.split('\n').map((line) => line.slice(36))).to.deep.equal([
        '  → __text_poke func=0xffffffff81038140 addr=0xffffffffc0000640 src=0xffff888009d37880 len=128'.trim(),
        '  copied 0xffffffffc0000640 128 B image by poke',
        '← __text_poke ret=0xffffffffc0000640',
        '',
      ]);
      expect(out).to.match(/^20 {2}7\.345470s {2}0 {2}workload-85/);
    });

    it('are refused for a kind, a trace or a place that does not exist, with near ones', async () => {
      expect(await wrong('events', 'small', '--kind', 'permision')).to.include('Did you mean permission');
      expect(await wrong('events', 'smal')).to.include('Did you mean small');
      expect(await wrong('events', 'nowhere-near')).to.include('There are: small, other, lossy, S1');
      expect(await wrong('events', 'small', '--from', '#loadet')).to.include('Did you mean #loaded?');
      expect(await wrong('events', 'small', '--from', '9', '--to', '3')).to.include('after --to');
    });
  });

  describe('state', () => {
    it('prints the fixed JSON', async () => {
      const state = await json('state', 'S1@#loaded8');
      expect(Object.keys(state)).to.deep.equal([
        'trace',
        'seq',
        'time_ns',
        'time_origin_ns',
        'arch',
        'kernel',
        'mappings',
        'direct_map',
        'areas',
        'packs',
        'programs',
        'jit_charged',
        'unknown',
      ]);
      expect(state).to.include({ trace: 'S1', seq: 242, arch: 'x86_64' });
      expect(state['programs']).to.have.length(8);
    });

    it('means the end of a trace where nothing is said', async () => {
      expect(await json('state', 'S1')).to.deep.equal(await json('state', 'S1@end'));
    });

    it('shows tables, all of them with --all', async () => {
      const { out } = await at.run(['state', 'S1@#loaded8']);
      expect(out).to.match(/^S1@242: after event 242 of 509, 7\.891630s, 6\.1\.0-50-cloud-amd64 x86_64\n/);
      expect(out).to.include('0xffffffffc0000664');
      expect((await at.run(['state', 'S1@#loaded8', '--all'])).out).to.equal(out);
    });

    const moments: readonly (readonly [moment: string, says: string])[] = [
      ['S1@#l', ''],
      ['S1@999999', 'trace S1 has no event 999999'],
      ['S1@#nothing', 'trace S1 has no marker #nothing'],
      ['S1@yesterday', '"yesterday" is no moment'],
      ['@5', 'names no trace'],
      ['S1@1s', 'before the first event'],
      ['S1@#op', '#op fits'],
      ['small@#twice', 'marker #twice occurs twice in trace small: events 56 and 57'],
      ['small@#twice:3', 'there is no number 3'],
    ];
    for (const [moment, says] of moments.slice(1)) {
      it(`refuses the moment ${moment}`, async () => {
        expect(await wrong('state', moment)).to.include(says);
      });
    }

    it('takes the prefix of a marker, and the second of two', async () => {
      expect((await json('state', 'S1@#lo'))['seq']).to.equal(242);
      expect((await json('state', 'small@#twice:2'))['seq']).to.equal(57);
    });
  });

  describe('diff of two moments', () => {
    it('ends with 1 and lists what differs', async () => {
      const { code, out } = await at.run(['diff', 'S1@#loaded8', 'S1@#freed3']);
      expect(code).to.equal(1);
      expect(out).to.include('S1@242 → S1@303').and.to.include('p3_64').and.to.include('program → trap');
    });

    it('ends with 0 where nothing differs', async () => {
      expect((await at.run(['diff', 'S1@#loaded8', 'S1@242'])).code).to.equal(0);
    });

    it('ends with 4 where nothing differs but events were lost between them', async () => {
      const { code } = await at.run(['diff', 'lossy@34', 'lossy@35']);
      expect(code).to.equal(4);
    });

    it('gives the same as JSON', async () => {
      const diff = await json('diff', 'S1@#loaded8', 'S1@#freed3');
      expect(diff).to.include({ differences: 10, open: false });
      expect(diff['from']).to.deep.equal({ trace: 'S1', seq: 242 });
    });
  });

  describe('diff of two traces', () => {
    it('ends with 0 where the kernels did the same, addresses and choices apart', async () => {
      const { code, out } = await at.run(['diff', 'small', 'other']);
      expect(out).to.match(
        /^small and other: 4 root calls compared, no differences; \d+ choices? left out\n$/,
      );
      expect(code).to.equal(0);
    });

    it('ends with 1 and shows the first difference with its calls', async () => {
      const { code, out } = await at.run(['diff', 'small', 'S1']);
      expect(code).to.equal(1);
      expect(out)
        .to.match(/^The first, < only the left/m)
        .and.to.match(/^kind +differences +times\n/m);
    });

    it('shows both sides in 80 columns, the differing steps whole', async () => {
      const { out } = await at.run(['diff', 'small', 'S1', '--all', '--context', '2']);
      const sides = out.split('\n').filter((line) => /^ {4}.{36} [ <>|]/.test(line));
      expect(sides.length).to.be.greaterThan(2);
      for (const line of sides) expect(line.length, line).to.be.at.most(80);
    });

    it('gives SARIF with a result a pattern, and refuses that for moments', async () => {
      const { code, out } = await at.run(['diff', 'small', 'S1', '--format', 'sarif']);
      const { version, runs } = JSON.parse(out) as {
        version: string;
        runs: [
          {
            tool: { driver: { rules: { id: string }[] } };
            invocations: [{ exitCode: number }];
            results: { ruleId: string; ruleIndex: number }[];
          },
        ];
      };
      const { kinds } = await json('diff', 'small', 'S1');
      const validate = sarifValidator();
      expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)?.slice(0, 2000)).to.equal(true);
      expect(code).to.equal(1);
      expect(version).to.equal('2.1.0');
      expect(runs[0].invocations[0].exitCode).to.equal(1);
      expect(runs[0].results.map((one) => one.ruleId)).to.deep.equal(
        (kinds as { kind: string }[]).map(({ kind }) => `diff/${kind}`),
      );
      for (const { ruleId, ruleIndex } of runs[0].results)
        expect(runs[0].tool.driver.rules[ruleIndex]?.id).to.equal(ruleId);
      expect(await wrong('diff', 'S1@#loaded8', 'S1@#freed3', '--format', 'sarif')).to.include('no SARIF');
    });

    it('ends with 4 where nothing differs but events were lost', async () => {
      expect((await at.run(['diff', 'small', 'lossy'])).code).to.equal(4);
    });

    it('gives the same as JSON', async () => {
      expect(await json('diff', 'small', 'other')).to.include({
        a: 'small',
        b: 'other',
        differences: 0,
        first: null,
      });
    });

    it('refuses one trace twice', async () => {
      expect(await wrong('diff', 'small', 'small')).to.include('both are trace small');
    });
  });

  describe('history, last and why', () => {
    it('tell the life of a program', async () => {
      const { code, out } = await at.run(['history', 'p1_16', 'S1']);
      expect(code).to.equal(0);
      expect(out)
        .to.include('memory allocated, 128 bytes')
        .and.to.include('symbol withdrawn')
        .and.to.include('8 changes up to S1@509');
      expect((await json('history', 'p1_16', 'S1'))['changes']).to.have.length(8);
    });

    it('tell the last change before a moment', async () => {
      const { out } = await at.run(['last', '0xffffffffc0000640', 'S1@20']);
      expect(out).to.include('event 19  7.345470s').and.to.include('trap → program');
      const { change } = await json('last', '0xffffffffc0000640', 'S1@20');
      expect(change).to.include({ seq: 19 });
      expect((await at.run(['last', '0xffffffffc0000640', 'S1@1'])).out).to.include('no change up to S1@1');
    });

    it('tell the first change after a moment', async () => {
      const { out } = await at.run(['first', '0xffffffffc0000640', 'S1']);
      const { change } = await json('first', '0xffffffffc0000640', 'S1@start');
      expect(out).to.include(`event ${String((change as { readonly seq: number }).seq)}  `);
      const { change: next } = await json('first', '0xffffffffc0000640', 'S1@18');
      expect(next).to.include({ seq: 19 });
      expect((await at.run(['first', '0xffffffffc0000640', 'S1@end'])).out).to.include(
        'no change after S1@509',
      );
    });

    it('tell the same of a range', async () => {
      const ranged = await json('last', '0xffffffffc0000640-0xffffffffc0000680', 'S1@20');
      expect(ranged['change']).to.include({ seq: 19 });
      expect((await at.run(['last', '0x2000-0x1000', 'S1'])).code).to.equal(2);
    });

    it('tell why, down to where knowledge ends', async () => {
      const { code, out } = await at.run(['why', 'p1_16', 'S1@#loaded8']);
      expect(code).to.equal(0);
      expect(out)
        .to.include('Mapped r-x')
        .and.to.include('given by the starting dump')
        .and.to.include('bpf_int_jit_compile');
      expect(await json('why', 'p1_16', 'S1@#loaded8')).to.include({ trace: 'S1', seq: 242 });
    });

    it('end with 4 where nothing is known', async () => {
      expect((await at.run(['why', '0xffffffffc1234000', 'S1'])).code).to.equal(4);
    });

    it('say what can be asked about', async () => {
      expect(await wrong('why', 'nothing', 'S1'))
        .to.include('no program "nothing"')
        .and.to.include('pack:ADDRESS');
      expect(await wrong('history', 'pack:0xffffffffc9999999', 'S1')).to.include('has no pack');
    });
  });

  describe('sql', () => {
    it('answers in a table and in JSON', async () => {
      const query =
        "SELECT kind, count(*) AS n FROM event('small') GROUP BY kind HAVING n > 5 ORDER BY n DESC, kind";
      const { code, out } = await at.run(['sql', query]);
      expect(code).to.equal(0);
      expect(out).to.match(/^kind +n\nentered +18\nreturned +18\nmarker +7\n$/);
      expect(await json('sql', query)).to.deep.equal({
        columns: ['kind', 'n'],
        rows: [
          ['entered', 18],
          ['returned', 18],
          ['marker', 7],
        ],
      });
    });

    it('gives integers beyond 2^53 as text in JSON', async () => {
      const { rows } = await json('sql', "SELECT address FROM event('small', 13, 13)");
      expect(rows).to.deep.equal([[-1073740224]]);
      expect((await json('sql', 'SELECT 9007199254740993'))['rows']).to.deep.equal([['9007199254740993']]);
    });

    it('refuses what is no query, what is wrong, and what would change the log', async () => {
      expect(await wrong('sql', 'SELECT nope FROM traces')).to.include('no such column');
      expect(await wrong('sql', 'DELETE FROM segments')).to.include('only queries');
      expect(await wrong('sql', "SELECT * FROM event('nobody')")).to.include('there is no trace "nobody"');
      expect(await wrong('sql', 'SELECT * FROM event')).to.include('say which');
    });
  });

  describe('export', () => {
    it('writes the events that events --jsonl prints', async () => {
      const { out } = await at.run(['events', 'small', '--jsonl']);
      expect((await at.run(['export', 'small'])).out).to.equal(out);
      const { code, out: said } = await at.run(['export', 'small', '--format', 'jsonl', '-o', 'small.jsonl']);
      expect({ code, said }).to.deep.equal({ code: 0, said: '57 events in small.jsonl\n' });
      expect(readFileSync(at.path('small.jsonl'), 'utf8')).to.equal(out);
    });

    it('begins with what the dump gave, if asked', async () => {
      const { out } = await at.run(['export', 'S1', '--given']);
      expect(eventsIn(out)[0]).to.include({ seq: 0 });
    });

    it('writes tables and pictures, to a file or a pipe', async () => {
      for (const format of ['csv', 'parquet', 'perfetto']) {
        const { code, out } = await at.run(['export', 'small', '--format', format, '-o', `small.${format}`]);
        expect({ code, out }).to.deep.equal({ code: 0, out: `57 events in small.${format}\n` });
        const piped = await at.spawn(['export', 'small', '--format', format]);
        expect(piped.code).to.equal(0);
        expect(piped.out).to.equal(readFileSync(at.path(`small.${format}`), 'utf8'));
      }
      expect(readFileSync(at.path('small.csv'), 'utf8').trimEnd().split('\r\n')).to.have.length(58);
      expect(readFileSync(at.path('small.parquet'), 'latin1')).to.match(/^PAR1[^]*PAR1$/);
      const { traceEvents } = JSON.parse(readFileSync(at.path('small.perfetto'), 'utf8')) as Record<
        string,
        unknown
      >;
      expect(traceEvents).to.be.an('array');
      const report = await json('export', 'small', '--format', 'csv', '-o', 'again.csv');
      expect(report).to.deep.equal({ trace: 'small', file: 'again.csv', format: 'csv', events: 57 });
    });

    it('writes the starting dump as rows where a format has a place for it', async () => {
      const { out } = await at.run(['export', 'S1', '--given', '--format', 'csv']);
      expect(out.split('\r\n')[1]).to.match(/^0,0,0,/);
      expect(await wrong('export', 'S1', '--given', '--format', 'perfetto')).to.include('no place in time');
    });

    it('does not fill a terminal with bytes', async () => {
      const { code, err } = await at.run(['export', 'small', '--format', 'parquet'], { terminal: true });
      expect(code).to.equal(2);
      expect(err).to.include('Give a file: -o FILE');
    });

    it('leaves nothing half-written, and an older file as it is', async () => {
      at.put('kept.jsonl', 'older\n');
      expect(await wrong('export', 'nobody', '-o', 'kept.jsonl')).to.include('no trace "nobody"');
      expect(await wrong('export', 'small', '-o', 'no/such/folder/x.jsonl')).to.include('writing failed');
      expect(readFileSync(at.path('kept.jsonl'), 'utf8')).to.equal('older\n');
      expect(readdirSync(at.folder).filter((name) => name.endsWith('.part'))).to.deep.equal([]);
    });
  });

  describe('conform', () => {
    const capture = bundledRecording('x86_64-6.1-S1-pack-basic');

    it('finds the rebuilt memory equal to the dumps of the real kernel', async () => {
      const { code, out } = await at.run(['conform', 'S1', capture]);
      expect(code).to.equal(0);
      expect(out).to.match(/^moment +pages +exec \? +aliases +areas +symbols +splits +bytes +differ\n/);
      expect(out).to.include('362 of 362 lines predicted (100 %)').and.to.include('equals the real kernel');
    });

    it('prints the fixed JSON', async () => {
      const report = await json('conform', 'S1', capture);
      expect(report).to.include.keys('given', 'moments', 'calls', 'choices', 'divergences');
      expect(report).to.include({ lost: 0, divergences_total: 0, divergences_unexplained: 0 });
      const [moment] = report['moments'] as readonly Readonly<Record<string, unknown>>[];
      expect(moment).to.include({ differences_total: 0, symbols_unknown: 0, splits_unknown: 0 });
      expect(report['moments']).to.have.length(5);
    });

    it('refuses the capture of another kernel', async () => {
      const foreign = bundledRecording('x86_64-7.2-S1-pack-basic');
      expect(await wrong('conform', 'S1', foreign)).to.match(
        /^pagetrail: trace S1 was recorded on 6\.1\.0-50-cloud-amd64, this capture on 7\.2/,
      );
    });

    it('ends with 1 where something differs: a bare recording knows nothing of what was before', async () => {
      await at.run(['import', `${capture}/trace.txt.gz`, '--name', 'bare']);
      const { code, out } = await at.run(['conform', 'bare', capture]);
      expect(code).to.be.oneOf([1, 4]);
      expect(out).to.include('no dump: the rebuilt memory began unknown');
    });

    it('refuses a folder that is no capture and a trace of another one', async () => {
      expect(await wrong('conform', 'S1', '.')).to.include('meta.json is missing');
      expect(await wrong('conform', 'nobody', capture)).to.include('no trace "nobody"');
    });
  });

  describe('verify', () => {
    it('finds a whole chain, and its root', async () => {
      const { root } = (await json('verify', 'small')) as { root: string };
      expect((await at.run(['verify', 'small', '--root', root])).code).to.equal(0);
      expect((await at.run(['verify', 'small'])).out).to.match(/^verdict +intact$/m);
    });

    it('ends with 1 for a root that the trace never had', async () => {
      const all = await at.run(['verify']);
      expect(all.code).to.equal(0);
      const { traces } = (await json('verify')) as { traces: readonly unknown[] };
      expect(all.out.match(/ intact /g)).to.have.length(traces.length);
      expect(traces.map((one) => (one as { trace: string }).trace)).to.include('small');
      expect((await at.run(['verify', '--root', 'ab'.repeat(32)])).code).to.equal(2);
      const { code, out } = await at.run(['verify', 'small', '--root', 'ab'.repeat(32)]);
      expect(code).to.equal(1);
      expect(out).to.include('never had this root');
    });
  });

  describe('remove', () => {
    it('removes a trace for good and says that it did', async () => {
      const { code, out } = await at.run(['remove', 'other']);
      expect(code).to.equal(0);
      expect(out).to.match(/^removed other: 57 events, root [0-9a-f]{64}\n$/);
      expect((await at.run(['traces'])).out).to.match(/^removed .*: other, 57 events/m);
      expect(await wrong('remove', 'other')).to.include('was removed at');
    });

    it('makes no log where there is none', async () => {
      expect(await wrong('remove', 'x', '--db', 'none.db')).to.include('there is no such log');
      expect(readdirSync(at.folder)).not.to.include('none.db');
    });
  });

  describe('that is damaged or strange', () => {
    it('is named by verify: the first bad segment, exit code 1', async () => {
      const db = await copy('flipped.db', (file) =>
        forge(file, (c) =>
          c.exec("UPDATE segments SET bytes = substr(bytes, 1, 99) || x'00' || substr(bytes, 101)"),
        ),
      );
      const { code, out } = await at.run(['verify', 'again', '--db', db]);
      expect(code).to.equal(1);
      expect(out)
        .to.match(/^verdict +NOT INTACT$/m)
        .and.to.match(/^first bad +segment 0, from event 1: /m);
      const events = await at.run(['events', 'again', '--db', db]);
      expect(events.code).to.equal(1);
      expect(events.err).to.match(/^pagetrail: [^\n]+\n$/);
    });

    it('is refused when a newer pagetrail made it', async () => {
      const db = await copy('newer.db', (file) => tamper(file, (c) => c.pragma('user_version = 99')));
      for (const args of [['traces'], ['import', 'again.txt']])
        expect(await wrong(...args, '--db', db))
          .to.include('schema version 99')
          .and.to.include('Use a newer pagetrail');
    });

    it('is refused when it is no log', async () => {
      at.put('text.db', 'text '.repeat(1000));
      expect(await wrong('traces', '--db', 'text.db')).to.include('not an SQLite database');
      expect(await wrong('traces', '--db', '.')).to.include('this is not a file');
    });
  });
});
