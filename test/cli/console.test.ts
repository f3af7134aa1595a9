import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { contextOf, type Streams } from '../../cli/console/context.js';
import { bytesText, grouped, percent, plural } from '../../replay/numbers.js';
import { progress } from '../../cli/console/progress.js';
import { Style, width } from '../../cli/console/style.js';
import { pairs, table } from '../../cli/console/table.js';
import { failureLine } from '../../cli/program/failure.js';
import { quoted } from '../../cli/show/quoted.js';

describe('On the console', () => {
  it('numbers look the same everywhere', () => {
    expect([0, 999, 1000, 1234567].map(grouped)).to.deep.equal(['0', '999', '1,000', '1,234,567']);
    expect([plural(1, 'page'), plural(2, 'page'), plural(1000, 'entry', 'entries')]).to.deep.equal([
      '1 page',
      '2 pages',
      '1,000 entries',
    ]);
    expect([0, 1023, 1024, 1536, 2 ** 21, 2 ** 21 + 1, 2 ** 50].map(bytesText)).to.deep.equal([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '2 MiB',
      '2.0 MiB',
      '1024 TiB',
    ]);
  });

  it('a share is 100 % only when nothing is missing, and 0 only when nothing is there', () => {
    expect([
      percent(3, 3),
      percent(999_999, 1_000_000),
      percent(1, 1_000_000),
      percent(0, 5),
      percent(0, 0),
    ]).to.deep.equal(['100 %', '99.99 %', '<0.01 %', '0.00 %', '–']);
  });

  it('columns are as wide as what is in them, colours not counted', () => {
    const { good } = Style.colours;
    expect(width(good('abc'))).to.equal(3);
    expect(
      table(
        [['name'], ['n', 'right']],
        [
          ['a', '1'],
          [good('bcdef'), '20'],
        ],
      ),
    ).to.deep.equal(['name    n', 'a       1', `${good('bcdef')}  20`]);
    expect(table([['name']], [])).to.deep.equal([]);
    expect(
      pairs([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).to.deep.equal(['a     1', 'long  2']);
  });

  it('a failure is one line: what, where, what to do', () => {
    expect(failureLine({ code: 'x', what: 'it\nbroke', where: 'file:3', hint: 'mend it' })).to.equal(
      'pagetrail: it broke (file:3). Mend it',
    );
    expect(failureLine({ code: 'x', what: 'it broke', hint: 'pagetrail help says more' })).to.equal(
      'pagetrail: it broke. pagetrail help says more',
    );
    expect(failureLine({ code: 'x', what: 'it broke', where: `${process.cwd()}/a/b.db` })).to.equal(
      'pagetrail: it broke (a/b.db).',
    );
  });

  it('words to be copied are quoted where a shell needs it', () => {
    expect(['S1', 'S1@#loaded8', '#x', 'two words', "it's"].map(quoted)).to.deep.equal([
      'S1',
      'S1@#loaded8',
      "'#x'",
      "'two words'",
      `'it'\\''s'`,
    ]);
  });

  describe('progress', () => {
    const settings = { db: 'x.db', json: false, quiet: false, color: true };
    const shown = (terminal: boolean, quiet: boolean): string => {
      const stderr = Object.assign(new PassThrough(), { isTTY: terminal });
      const streams: Streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, env: {} };
      let now = 0;
      const line = progress(contextOf({ ...settings, quiet }, streams), () => now);
      for (const [time, text] of [
        [500, 'too early'],
        [1000, 'first, long'],
        [1100, 'too soon'],
        [1300, 'second'],
      ] as const) {
        now = time;
        line.at(() => text);
      }
      line.end();
      return (stderr.read() as Buffer | null)?.toString() ?? '';
    };

    it('shows on a terminal once work takes a second, four times a second, and wipes itself', () => {
      expect(shown(true, false)).to.equal(`\rfirst, long\rsecond${' '.repeat(5)}\r${' '.repeat(6)}\r`);
    });

    it('shows nowhere else, and not with --quiet', () => {
      expect(shown(false, false)).to.equal('');
      expect(shown(true, true)).to.equal('');
    });
  });
});
