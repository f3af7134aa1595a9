import { expect } from 'chai';
import { operationText } from '../../replay/operationText.js';

describe('an operation in a sentence', () => {
  it('is what a recording says of it', () => {
    expect(operationText('op 2: load slot=0 type=xdp')).to.equal('op 2: load slot=0 type=xdp');
  });

  it('of an emulation shows its plain values, on one line', () => {
    const load = {
      op: 'load',
      program: 'p173_4965',
      slot: 171,
      type: 'xdp',
      insns: 4965,
      tag: 'fff92e93cb421b2d',
      capable: true,
      functions: [{ image: 20888 }],
    };
    expect(operationText(JSON.stringify(load))).to.equal(
      'load program=p173_4965 slot=171 type=xdp insns=4965',
    );
    expect(operationText(JSON.stringify({ op: 'load', program: 'x'.repeat(500) }))).to.have.length(120);
  });

  it('that cannot be read is cut', () => {
    expect(operationText(`{"op":${'x'.repeat(500)}`)).to.have.length(120);
  });
});
