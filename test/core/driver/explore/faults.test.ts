/** What exhaustive search finds on the pack-basic workload, with no hint: kernel-model.md §8.2, by kernel. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { x86_64 } from '../../../../core/arch/x86_64.js';
import { FALLIBLE } from '../../../../core/driver/emulate/faults.js';
import {
  counterexamples,
  inOrder,
  type Counterexample,
} from '../../../../core/driver/explore/counterexample.js';
import { search, type SearchInput } from '../../../../core/driver/explore/search.js';
import type { Variant } from '../../../../core/driver/explore/variant.js';
import { errnosOf } from '../../../../core/kernel/errnos.js';
import type { Profile } from '../../../../core/profile/profile.js';
import { profileNamed } from '../../../../core/profile/profiles.js';
import type { Workload } from '../../../../core/workload/workload.js';
import { firstIncoherence } from '../../../../traces/workload/coherence.js';
import { parseWorkload } from '../../../../traces/workload/schema.js';
import { must } from '../../../store/given.js';

const workloadIn = (name: string): Workload => {
  const file = fileURLToPath(
    new URL(`../../../../../traces/bundled/workloads/${name}.json`, import.meta.url),
  );
  return must(parseWorkload(readFileSync(file, 'utf8'), file));
};
const coherent = (workload: Workload): boolean => firstIncoherence(workload) === null;

const inputOf = (kernel: string, workload: Workload, fixed: Partial<Variant>): SearchInput => ({
  workload,
  profile: profileNamed(kernel) as Profile,
  arch: x86_64,
  seed: 1,
  faults: 1,
  budget: 100_000,
  every: false,
  fixed,
});

const explored = (input: SearchInput): readonly Counterexample[] => {
  const going = search(input);
  while (going.step());
  expect(going.complete()).to.equal(true);
  return inOrder([...counterexamples(input, going.state().candidates, coherent)]);
};

/** Rule and pattern, with the calls that have to fail for it. */
const LEFTOVER = 'I1 memory became executable without being written for it';
const DEAD = 'I1 code of a freed program stays executable';
const IGNORED = 'I7 a program is used although its memory could not be protected';
const WX = 'I2 a page is writable and executable';
const LEAK = 'I6 memory stays charged that no image holds';
const SIZE = 'I5 an image is given back with another size than it was given';
const READ_ONLY = 'I3 a read-only page was handed back';

const named = (found: readonly Counterexample[]): Map<string, Counterexample> =>
  new Map(found.map((one) => [`${one.finding.rule} ${one.finding.pattern}`, one]));

const causes = (one: Counterexample | undefined): string[] | undefined => one?.faults.map(({ fn }) => fn);

describe('Exploring pack-basic', function () {
  this.timeout(240_000);
  const S1 = workloadIn('S1-pack-basic');
  const fixed = { frames: 'scattered', frees: 'declared' } as const;

  it('finds F1, F2, F9, F10, F11 and F12 in 5.18-rc3', () => {
    const found = named(explored(inputOf('5.18-rc3', S1, fixed)));
    expect(causes(found.get(LEFTOVER)), 'F1 needs no fault').to.deep.equal([]);
    expect(found.get(LEFTOVER)?.workload.operations).to.have.length(1);
    expect(causes(found.get(DEAD)), 'F2 needs no fault').to.deep.equal([]);
    expect(causes(found.get(READ_ONLY)), 'F9').to.deep.equal(['alloc_pages']);
    expect(found.get(READ_ONLY)?.faults[0]?.nth, 'memory is short for all of the vfree').to.equal(null);
    expect(causes(found.get(IGNORED)), 'F10').to.deep.equal(['set_memory_ro']);
    expect(found.has(WX)).to.equal(true);
    for (const key of [LEAK, SIZE]) {
      expect(causes(found.get(key)), 'F11, F12').to.deep.equal(['bpf_jit_binary_pack_finalize']);
      expect(found.get(key)?.workload.operations).to.have.length(1);
    }
  });

  it('finds F10, F11 and F12 in 6.1, and neither F1, F2 nor a read-only page handed back', () => {
    const found = named(explored(inputOf('6.1', S1, fixed)));
    expect(found.has(LEFTOVER)).to.equal(false);
    expect(found.has(READ_ONLY)).to.equal(false);
    // Only where the fill itself fails.
    expect(causes(found.get(DEAD))).to.deep.equal(['bpf_arch_text_invalidate']);
    expect(causes(found.get(IGNORED))).to.deep.equal(['set_memory_ro']);
    expect(found.get(IGNORED)?.variant.boot, 'the packs of the recording exist already').to.equal('fresh');
    for (const key of [LEAK, SIZE])
      expect(causes(found.get(key))).to.deep.equal(['bpf_jit_binary_pack_finalize']);
  });

  it('finds F11 and F12 in 6.12 and 7.2, and none of the others', () => {
    for (const kernel of ['6.12', '7.2']) {
      const found = named(explored(inputOf(kernel, workloadIn('one-program'), fixed)));
      for (const key of [LEFTOVER, DEAD, IGNORED, WX, READ_ONLY])
        expect(found.has(key), `${kernel}: ${key}`).to.equal(false);
      for (const key of [LEAK, SIZE])
        expect(causes(found.get(key))).to.deep.equal(['bpf_jit_binary_pack_finalize']);
    }
  });

  it('a series that fills packs and freed chunks leaves neither F1 nor F2', () => {
    const found = named(explored(inputOf('5.18-rc5-packv2', workloadIn('two-programs'), fixed)));
    expect(found.has(LEFTOVER)).to.equal(false);
    expect(causes(found.get(DEAD))).to.deep.equal(['bpf_arch_text_invalidate']);
  });
});

describe('A search', function () {
  this.timeout(120_000);
  const input = inputOf('5.18-rc5', workloadIn('two-programs'), {});

  it('that is stopped after any run and gone on with comes to the same', () => {
    const whole = search(input);
    while (whole.step());
    for (const stop of [0, 1, 17, 80]) {
      const first = search(input);
      for (let i = 0; i < stop; i++) first.step();
      const second = search(input, JSON.parse(JSON.stringify(first.state())) as never);
      while (second.step());
      expect(second.state()).to.deep.equal(whole.state());
    }
  });

  it('says that it is not complete when its budget is used up', () => {
    const some = search({ ...input, budget: 10 });
    while (some.step());
    expect(some.complete()).to.equal(false);
    expect(some.state().runs).to.equal(10);
  });

  it('finds with pairs of faults what no single one brings about', () => {
    const key = 'I22 the direct map lacks executable memory that is in use';
    expect(named(explored(input)).has(key)).to.equal(false);
    const found = named(explored({ ...input, faults: 2 })).get(key);
    expect(causes(found)).to.deep.equal(['kvmalloc', 'set_direct_map_default_noflush']);
  });

  it('knows an error for every call that can fail', () => {
    for (const fn of FALLIBLE) expect(errnosOf(fn), fn).to.not.be.empty;
  });
});
