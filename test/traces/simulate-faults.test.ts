/** Calls that fail because a user asked for it: how they are written, which call is meant, and that the log can be run again. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import { FALLIBLE, Fault, faultsOf } from '../../core/driver/emulate/faults.js';
import { loggedFailures } from '../../core/driver/emulate/failing.js';
import { loggedChoices } from '../../core/driver/emulate/rerun.js';
import type { Event } from '../../core/event/event.js';
import { profileNamed } from '../../core/profile/profiles.js';
import type { Profile } from '../../core/profile/profile.js';
import { Errno } from '../../core/value/errno.js';
import type { Workload } from '../../core/workload/workload.js';
import { parseFault, parseFaults } from '../../traces/simulate/faults.js';
import { parseWorkload } from '../../traces/workload/schema.js';
import { must } from '../store/given.js';

const FILE = fileURLToPath(new URL('../../../traces/bundled/workloads/S1-pack-basic.json', import.meta.url));
const S1: Workload = must(parseWorkload(readFileSync(FILE, 'utf8'), FILE));

const run = (kernel: string, texts: readonly string[]) => {
  const faults = faultsOf(must(parseFaults(texts, S1)));
  const events: Event[] = [];
  const base = { workload: S1, profile: profileNamed(kernel) as Profile, arch: x86_64, seed: 3 };
  emulate({
    ...base,
    fail: faults.failing,
    before: (operation) => {
      faults.began(operation);
      return true;
    },
    emit: (event) => events.push(event),
  });
  return { base, events, happened: faults.happened() };
};

/** The operation in which each failing call lies. */
const failedIn = (events: readonly Event[]): number[] => {
  let operation = 0;
  const found: number[] = [];
  for (const event of events) {
    if (event.kind === 'operation') operation = event.index;
    if (
      event.kind === 'chosen' &&
      (event.what === 'failure' || (event.what === 'buffer' && event.value === 'none'))
    )
      found.push(operation);
  }
  return found;
};

describe('A fault', () => {
  it('is read and written back', () => {
    for (const [text, again] of [
      ['kvmalloc=-ENOMEM', 'kvmalloc=-ENOMEM'],
      ['kvmalloc:1=-12', 'kvmalloc=-ENOMEM'],
      ['bpf_arch_text_copy:7@loaded8=-ENOTSUPP', 'bpf_arch_text_copy:7@10=-ENOTSUPP'],
      ['set_memory_ro:*@#loaded8=-4000', 'set_memory_ro:*@10=-4000'],
      ['set_memory_ro@phase: loaded8=-EINVAL', 'set_memory_ro@10=-EINVAL'],
      ['set_memory_ro@op 3=-EINVAL', 'set_memory_ro@4=-EINVAL'],
      ['set_memory_ro:*@38=-22', 'set_memory_ro:*@38=-EINVAL'],
    ] as const) {
      const fault = must(parseFault(text, S1));
      expect(Fault.toText(fault)).to.equal(again);
      expect(must(parseFault(again, S1))).to.deep.equal(fault);
    }
    for (const fn of FALLIBLE)
      for (const name of Errno.names)
        expect(Fault.toText(must(parseFault(`${fn}=-${name}`, S1)))).to.equal(`${fn}=-${name}`);
  });

  it('that is written wrongly says what is wrong, and what was meant', () => {
    for (const [text, what, hint] of [
      ['', 'this is no fault', /CALL\[:NTH\]\[@MARKER\]=-ERRNO/],
      ['kvmalloc', 'this is no fault', /CALL/],
      ['kvmaloc=-ENOMEM', 'kvmaloc cannot be made to fail', /^did you mean kvmalloc\?/],
      ['vfree=-ENOMEM', 'vfree cannot be made to fail', /one of .*bpf_arch_text_copy/],
      ['kvmalloc=ENOMEM', '"ENOMEM" is no errno', /-ENOMEM/],
      ['kvmalloc=-ENOMAM', '"-ENOMAM" is no errno', /^did you mean -ENOMEM/],
      ['kvmalloc=-0', '"-0" is no errno', /-4095/],
      ['kvmalloc=-4096', '"-4096" is no errno', /-4095/],
      ['kvmalloc:0=-ENOMEM', '"0" is no number of a call', /from 1/],
      ['kvmalloc:x=-ENOMEM', '"x" is no number of a call', /from 1/],
      ['kvmalloc@lodaed8=-ENOMEM', 'there is no marker "lodaed8" in the workload', /^did you mean loaded8/],
      ['kvmalloc@op 1=-ENOMEM', '"op 1" fits 8 markers', /@2, @11/],
      ['kvmalloc@39=-ENOMEM', 'there is no operation 39', /1 to 38/],
      ['kvmalloc@0=-ENOMEM', 'there is no operation 0', /1 to 38/],
      ['kvmalloc@=-ENOMEM', 'there is no marker "" in the workload', /by its number/],
    ] as const) {
      const read = parseFault(text, S1);
      if (read.ok) throw new Error(`${text} is taken for a fault`);
      expect(read.error.what, text).to.equal(what);
      expect(read.error.hint, text).to.match(hint);
      expect(read.error.where).to.equal(`--fail ${text}`);
    }
  });

  it('hits the call that is meant, and no other', () => {
    const loads = S1.operations.flatMap(({ op }, i) => (op === 'load' ? [i + 1] : []));
    expect(failedIn(run('6.1', ['bpf_arch_text_copy:3=-EINVAL']).events)).to.deep.equal([loads[2]]);
    expect(failedIn(run('6.1', ['bpf_arch_text_copy@loaded8=-EINVAL']).events)).to.deep.equal([loads[8]]);
    expect(failedIn(run('6.1', ['kvmalloc:*@loaded8=-ENOMEM']).events)).to.deep.equal(loads.slice(8, 10));
    const both = run('6.1', ['kvmalloc:2=-ENOMEM', 'bpf_arch_text_copy=-EINVAL', 'set_memory_ro=-EINVAL']);
    expect(both.happened).to.deep.equal([1, 1, 0]);
  });

  it('is in the log: the run can be had again from it, byte for byte', () => {
    for (const kernel of ['5.18-rc3', '6.1', '7.2']) {
      const first = run(kernel, [
        'kvmalloc:2=-ENOMEM',
        'bpf_arch_text_copy:3=-EINVAL',
        'alloc_pages:*@30=-ENOMEM',
      ]);
      const second: Event[] = [];
      emulate({
        ...first.base,
        fail: loggedFailures(first.events),
        source: loggedChoices(first.events),
        emit: (event) => second.push(event),
      });
      expect(second).to.deep.equal(first.events);
    }
  });
});
