import { expect } from 'chai';
import { COMMANDS } from '../../cli/program/commands.js';
import { place, type Place } from './run.js';

describe('The command line', () => {
  let at: Place;
  before(() => {
    at = place();
  });
  after(() => at.remove());

  it('prints its version', async () => {
    const { code, out } = await at.spawn(['--version']);
    expect(code).to.equal(0);
    expect(out).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('prints all commands with --help, and with help', async () => {
    const { code, out } = await at.run(['--help']);
    expect(code).to.equal(0);
    for (const { name } of COMMANDS) expect(out).to.match(new RegExp(`^ {2}${name} `, 'm'));
    expect(await at.run(['help'])).to.deep.equal({ code: 0, out, err: '' });
  });

  for (const { name } of COMMANDS) {
    it(`explains ${name} with an example`, async () => {
      const { code, out, err } = await at.run([name, '--help']);
      expect(err).to.equal('');
      expect(code).to.equal(0);
      expect(out).to.include(`Usage: pagetrail ${name} [options]`);
      expect(out).to.include('Examples:\n  $ ');
      expect(out).to.include('--db <file>');
    });
  }

  it('explains a command with help NAME too', async () => {
    const { out } = await at.run(['import', '--help']);
    expect(await at.run(['help', 'import'])).to.deep.equal({ code: 0, out, err: '' });
  });

  const wrong: readonly (readonly [args: readonly string[], says: string])[] = [
    [['imprt'], "pagetrail: unknown command 'imprt'. Did you mean import?\n"],
    [['import', 'x', '--nam', 'y'], "pagetrail: unknown option '--nam' (import). Did you mean --name?\n"],
    [['import', 'x', '--dbb', 'y'], "pagetrail: unknown option '--dbb' (import). Did you mean --db?\n"],
    [
      ['import'],
      "pagetrail: missing required argument 'path' (import). pagetrail import --help shows how it is used\n",
    ],
    [
      ['import', 'a', 'b'],
      "pagetrail: too many arguments for 'import'. Expected 1 argument but got 2 (import). pagetrail import --help shows how it is used\n",
    ],
    [['import', ''], 'pagetrail: path is empty. Give it a value\n'],
    [['help', 'nothing'], "pagetrail: there is no command 'nothing'. pagetrail help lists them\n"],
    [
      ['traces'],
      'pagetrail: there is no such log (pagetrail.db). Import something first (pagetrail import PATH), or name the log with --db FILE\n',
    ],
    [
      ['verify', 'x', '--root', 'abc'],
      'pagetrail: root is not a hash. A hash has 64 hex digits, as `pagetrail traces --json` prints it\n',
    ],
    [
      ['export', 'x', '--format', 'xml'],
      'pagetrail: format is none of jsonl, csv, parquet, perfetto. Choose one of them\n',
    ],
  ];
  for (const [args, says] of wrong) {
    it(`answers \`${args.join(' ')}\` with one line and exit code 2`, async () => {
      expect(await at.run(args)).to.deep.equal({ code: 2, out: '', err: says });
    });
  }

  it('shows its help on standard error when nothing is asked for', async () => {
    const { code, out, err } = await at.run([]);
    expect(code).to.equal(2);
    expect(out).to.equal('');
    expect(err)
      .to.match(/^Usage: pagetrail/)
      .and.to.match(/pagetrail: say what to do\..*\n$/);
  });
});
