import { expect } from 'chai';
import { checkpointText, parseCheckpoint, type Checkpoint } from '../../store/checkpoint.js';
import { codeOf, must } from './given.js';

/** The example of https://c2sp.org/tlog-checkpoint, which is of another kind of log. */
const FOREIGN = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;

const OWN: Checkpoint = {
  origin: `pagetrail/${'ab'.repeat(32)}`,
  size: 11,
  root: Buffer.alloc(32, 7),
  trace: 'a trace, Größe 3',
  events: 42310,
  chain: 'cd'.repeat(32),
};

const read = (text: string): Checkpoint => must(parseCheckpoint(Buffer.from(text), 'c')).checkpoint;

describe('Checkpoints', () => {
  it('are read as other logs write them', () => {
    expect(read(FOREIGN)).to.deep.include({
      origin: 'example.com/behind-the-sofa',
      size: 20852163,
      trace: null,
      events: null,
      chain: null,
    });
  });

  it('say in lines of their own what a tree does not', () => {
    const text = checkpointText(OWN);
    expect(text.split('\n').slice(1, 2)).to.deep.equal(['11']);
    expect(text.split('\n').slice(3)).to.deep.equal([
      'trace a trace, Größe 3',
      'events 42310',
      `chain ${'cd'.repeat(32)}`,
      '',
    ]);
    expect(read(`${text}\n`)).to.deep.equal({ ...OWN, root: Buffer.alloc(32, 7) });
    expect(read(`${text}lines of others\n\n`)).to.deep.include({ events: 42310 });
  });

  const text = `${checkpointText(OWN)}\n`;
  const wrong: readonly (readonly [what: string, text: string])[] = [
    ['a leading zero', text.replace('\n11\n', '\n011\n')],
    ['a size that is no number', text.replace('\n11\n', '\nmany\n')],
    ['a size beyond what is exact', text.replace('\n11\n', '\n9007199254740993\n')],
    ['half a hash', text.replace(/\n[^\n]{40}=|\n[^\n]{43}=/, '\nAAAA')],
    ['a line missing', 'origin\n1\n\n'],
    ['an empty line in its text', text.replace('\nevents', '\n\nevents')],
    ['no number of events', text.replace('events 42310', 'events -1')],
    ['no hash of the chain', text.replace('chain cd', 'chain ')],
  ];
  for (const [what, changed] of wrong)
    it(`are refused with ${what}`, () => {
      expect(changed).not.to.equal(text);
      expect(codeOf(parseCheckpoint(Buffer.from(changed), 'c'))).to.equal('bad-checkpoint');
    });
});
