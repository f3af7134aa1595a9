import type { Btf } from '../btf/btf.js';
import type { KernelTypes } from './functions.js';

export interface FoundTypes {
  readonly types: KernelTypes;
  /** Structures that are not there, or not with all their members: `struct bpf_prog: jited_len`. */
  readonly missing: readonly string[];
}

/** Offsets of named members of one structure, all or none. */
const membersOf = <K extends string>(
  btf: Btf,
  struct: string,
  members: Readonly<Record<K, string>>,
  missing: string[],
): Readonly<Record<K, number>> | null => {
  const found = Object.entries<string>(members).map(
    ([key, member]) => [key, member, btf.offsetOf(struct, member)] as const,
  );
  const absent = found.filter(([, , offset]) => offset === null).map(([, member]) => member);
  if (absent.length === 0)
    return Object.fromEntries(found.map(([key, , offset]) => [key, offset])) as Readonly<Record<K, number>>;
  missing.push(`struct ${struct}: ${absent.join(', ')}`);
  return null;
};

/** What the probes need to know of a kernel's structures, from its BTF. */
export const typesOf = (btf: Btf): FoundTypes => {
  const missing: string[] = [];
  const prog = membersOf(
    btf,
    'bpf_prog',
    { len: 'len', jitedLen: 'jited_len', bpfFunc: 'bpf_func', aux: 'aux' },
    missing,
  );
  const aux = membersOf(btf, 'bpf_prog_aux', { id: 'id', funcCnt: 'func_cnt', funcIdx: 'func_idx' }, missing);
  const ksym = membersOf(btf, 'bpf_ksym', { start: 'start', end: 'end', name: 'name' }, missing);
  // x86 alone has it.
  const cpa = membersOf(
    btf,
    'cpa_data',
    {
      vaddr: 'vaddr',
      maskSet: 'mask_set',
      maskClr: 'mask_clr',
      numpages: 'numpages',
      curpage: 'curpage',
      pfn: 'pfn',
      flags: 'flags',
    },
    missing,
  );
  return {
    types: {
      prog: prog === null || aux === null ? null : { when: '', ...prog, ...aux },
      ksym,
      cpa,
      envFirst: (btf.argumentsOf('bpf_int_jit_compile')?.length ?? 1) > 1,
    },
    missing,
  };
};
