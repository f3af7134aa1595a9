import { expect } from 'chai';
import { readBtf } from '../../../traces/btf/btf.js';
import { recordingScript } from '../../../traces/probes/script.js';
import { typesOf } from '../../../traces/probes/types.js';
import { must } from '../../store/given.js';
import { madeBtf, type MadeStruct } from './make.js';

/** As no recorded kernel has it: what is found here was read, not known. */
const STRUCTS: readonly MadeStruct[] = [
  { name: '', kind: 'union', members: [['insns', 0], ['insnsi', 0]] }, // prettier-ignore
  {
    name: 'bpf_prog',
    members: [
      ['jited', 16, 0, 1],
      ['len', 24 * 8],
      ['jited_len', 28 * 8],
      ['bpf_func', 104 * 8],
      ['', 120 * 8, 1],
      ['aux', 112 * 8],
    ],
  },
  { name: 'bpf_prog_aux', members: [['id', 320], ['func_cnt', 352], ['func_idx', 416]] }, // prettier-ignore
  { name: 'bpf_ksym', members: [['start', 0], ['end', 64], ['name', 192]] }, // prettier-ignore
];

const saidOf = (bytes: Uint8Array): string => {
  const read = readBtf(bytes, 'btf');
  return read.ok ? 'read' : read.error.what;
};

describe('BTF', () => {
  for (const little of [true, false]) {
    const btf = must(readBtf(madeBtf(STRUCTS, [{ name: 'f', args: ['env', 'prog'] }], little), 'btf'));
    const order = little ? 'little' : 'big';

    it(`finds members by name (${order} endian)`, () => {
      expect(btf.offsetOf('bpf_prog', 'bpf_func')).to.equal(104);
      expect(btf.offsetOf('bpf_prog_aux', 'func_idx')).to.equal(52);
    });

    it(`finds members of an unnamed union inside (${order} endian)`, () => {
      expect(btf.offsetOf('bpf_prog', 'insnsi')).to.equal(120);
    });

    it(`gives no offset for a bit field, nor for what is not there (${order} endian)`, () => {
      expect(btf.offsetOf('bpf_prog', 'jited')).to.equal(null);
      expect(btf.offsetOf('bpf_prog', 'tag')).to.equal(null);
      expect(btf.offsetOf('vm_struct', 'addr')).to.equal(null);
    });

    it(`names the arguments of functions (${order} endian)`, () => {
      expect(btf.argumentsOf('f')).to.deep.equal(['env', 'prog']);
      expect(btf.argumentsOf('g')).to.equal(null);
    });
  }

  it('refuses what is no BTF, or not all of it', () => {
    const whole = madeBtf(STRUCTS);
    expect(saidOf(new Uint8Array(3))).to.include('too short');
    expect(saidOf(Uint8Array.from({ length: 64 }, () => 7))).to.include('no BTF');
    for (let length = 24; length < whole.length; length++)
      expect(saidOf(whole.subarray(0, length))).to.equal('this BTF is cut off');
    const unknown = Uint8Array.from(whole);
    unknown[24 + 7] = 31;
    expect(saidOf(unknown)).to.include('unknown kind 31');
  });

  it('gives the recording script its offsets', () => {
    const functions = [{ name: 'bpf_int_jit_compile', args: ['env', 'prog'] }];
    const { types, missing } = typesOf(must(readBtf(madeBtf(STRUCTS, functions), 'btf')));
    expect(missing).to.deep.equal([
      'struct cpa_data: vaddr, mask_set, mask_clr, numpages, curpage, pfn, flags',
    ]);
    const script = recordingScript('auto', types);
    const forms = script.split('\n').filter((line) => line.startsWith('probe bpf_int_jit_compile '));
    expect(forms).to.deep.equal([
      "probe bpf_int_jit_compile '' '' 'env=@1:x64 prog=@2:x64 insns=+24(@2):u32 jited_len=+28(@2):u32 bpf_func=+104(@2):x64 id=+40(+112(@2)):u32 func_idx=+52(+112(@2)):u32 func_cnt=+44(+112(@2)):u32' 'ret=$retval:x64 jited_len=+28($retval):u32 bpf_func=+104($retval):x64'",
    ]);
    expect(script).to.include(
      "probe bpf_ksym_add '' '' 'ksym=@1:x64 start=+0(@1):x64 end=+8(@1):x64 name=+24(@1):string'",
    );
  });

  it('leaves a structure alone that is not there', () => {
    const { types } = typesOf(must(readBtf(madeBtf(STRUCTS.slice(0, 2)), 'btf')));
    expect(types.prog).to.equal(null);
    expect(recordingScript('auto', types)).to.include("probe bpf_jit_free '' '' 'fp=@1:x64' ''\n");
  });
});
