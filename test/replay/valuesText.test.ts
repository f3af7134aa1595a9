import { expect } from 'chai';
import { valuesText } from '../../replay/valuesText.js';

describe('values of a call line for people', () => {
  it('are decimal where they count, hex where they are addresses, masks or large', () => {
    expect(
      valuesText('bpf_prog_pack_alloc', 'entry', { size: '0x80', bpf_fill_ill_insns: '0xffffffff8108be90' }),
    ).to.equal('size=128 bpf_fill_ill_insns=0xffffffff8108be90');
    expect(
      valuesText('bpf_jit_binary_pack_finalize', 'entry', {
        ro_header_size: '0xcccccccc',
        rw_header_size: '0x80',
      }),
    ).to.equal('ro_header_size=0xcccccccc rw_header_size=128');
  });

  it('show an error number with its sign', () => {
    expect(valuesText('bpf_jit_charge_modmem', 'result', { ret: '0xffffffff' })).to.equal('ret=-1');
    expect(valuesText('bpf_jit_charge_modmem', 'result', { ret: '0xfffffffffffffff4' })).to.equal('ret=-12');
  });

  it('of a function that is not in the table are shown as they are', () => {
    expect(valuesText('somebody_else', 'entry', { size: '0x80', name: 'x' })).to.equal('size=0x80 name=x');
  });
});
