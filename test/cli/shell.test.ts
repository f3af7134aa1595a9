import { expect } from 'chai';
import { recording } from './recording.js';
import { place, type Place } from './run.js';

describe('pagetrail shell', () => {
  let at: Place;
  before(async () => {
    at = place();
    at.put('small.txt', recording);
    await at.run(['import', 'small.txt']);
  });
  after(() => at.remove());

  const answers = async (...lines: readonly string[]): Promise<readonly string[]> => {
    const { code, out, err } = await at.run(['shell', 'small', '--quiet'], { stdin: lines.join('\n') });
    expect(err).to.equal('');
    expect(code).to.equal(0);
    return out.trimEnd().split('\n');
  };

  it('begins at the start, steps forward and back, and says where it is', async () => {
    const lines = await answers('step', 'step 12', 'back 2', 'back 99', 'step 99');
    expect(lines.filter((line) => line.startsWith('small@'))).to.deep.equal([
      'small@start> step',
      'small@1 6.817776s> step 12',
      'small@13 7.345268s> back 2',
      'small@11 7.345268s> back 99',
      'small@start> step 99',
    ]);
    expect(lines.at(-1)).to.equal('the end');
  });

  it('goes to markers, times, ends and bookmarks', async () => {
    const lines = await answers(
      'goto #loaded',
      'bookmark here',
      'goto end',
      'goto here',
      'g 7.3419s',
      'where',
    );
    expect(lines.findLast((line) => line.startsWith('small@'))).to.equal('small@3 7.341731s> where');
    expect(lines).to.include('here: event 34');
  });

  it('answers about memory at its place', async () => {
    const lines = await answers(
      'goto #loaded',
      'state',
      'last p1_16',
      'why 0xffffffffc0000640',
      'diff',
      'history p1_16',
      'markers',
    );
    expect(lines.join('\n'))
      .to.include('p1_16')
      .and.to.include('event 31')
      .and.to.include('from event 0 to event 34');
  });

  it('shows events around its place', async () => {
    const lines = await answers('goto 20', 'events 4');
    expect(lines.filter((line) => /^[ >] \d+ /.test(line)).map((line) => line.slice(0, 4))).to.deep.equal([
      '  19',
      '> 20',
      '  21',
      '  22',
    ]);
  });

  it('goes on after a mistake and ends with 2 in a pipe', async () => {
    const { code, out, err } = await at.run(['shell', 'small'], {
      stdin: 'stepp\nstep x\ngoto\nwhy\nstep\nquit\nstep\n',
    });
    expect(code).to.equal(2);
    expect(err.trimEnd().split('\n')).to.deep.equal([
      "pagetrail: there is no command 'stepp'. Did you mean step?",
      'pagetrail: "x" is no number of steps. Write one, such as step 10',
      'pagetrail: goto needs a place. Goto 42, goto #loaded8, goto end',
      'pagetrail: say what it is about. An address (0xffffffffc0000000), a program (its name, id or tag) or pack:ADDRESS',
    ]);
    expect(out.trimEnd().split('\n').at(-1)).to.equal('small@1 6.817776s> quit');
  });

  it('answers in JSON Lines with --json', async () => {
    const { out } = await at.run(['shell', 'small@5', '--json'], { stdin: 'where\nstep\n' });
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { seq: number }).seq),
    ).to.deep.equal([5, 6]);
  });

  it('lists its commands', async () => {
    const lines = await answers('help');
    for (const name of [
      'step [N]',
      'back [N]',
      'goto WHERE',
      'first',
      'state',
      'diff',
      'events',
      'why',
      'quit',
    ])
      expect(
        lines.some((line) => line.startsWith(name)),
        name,
      ).to.equal(true);
  });

  it('refuses a trace that does not exist', async () => {
    const { code, err } = await at.run(['shell', 'smal']);
    expect(code).to.equal(2);
    expect(err).to.include('Did you mean small');
  });
});
