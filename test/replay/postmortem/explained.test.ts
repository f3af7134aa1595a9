import { expect } from 'chai';
import type { TraceView } from '../../../replay/log.js';
import { bundledRecording } from '../../../traces/bundledRecordings.js';
import { bundledTrace, callFails, freedUnfinalized, splitsFail } from '../../traces/oops/scenarios.js';
import { armAliasOfOthers, armFreed, armLive, armNotExecutable } from './arm64.js';
import { postMortemParagraphs } from '../../../replay/postmortem/postmortemLines.js';
import { recordingsOf } from '../../traces/recordings.js';
import { armTrace, explain, oopsOf, traceOf } from './given.js';

const bundled = (name: string): Promise<TraceView> => traceOf(name, () => bundledTrace(name));

const captured = (name: string): Promise<TraceView> => traceOf(`${name} with dump`, bundledRecording(name));

/** An oops text, the trace it belongs to, what explains it, and what must be among the evidence. */
interface Case {
  readonly oops: string;
  readonly is: string;
  readonly trace: () => TraceView | Promise<TraceView>;
  readonly first: string;
  readonly evidence: RegExp;
}

const CASES: readonly Case[] = [
  {
    oops: 'x86-write-to-read-only-text',
    is: 'a write to the text of a live program',
    trace: () => bundled('x86_64-6.1-S1-pack-basic'),
    first: 'read-only-text',
    evidence: /belongs to program:\d+ \(bpf_prog_ffc7dbc7d8840032_p1_16\)/,
  },
  {
    oops: 'x86-write-to-read-only-text',
    is: 'the same with the dump that the recording began with',
    trace: () => captured('x86_64-6.1-S1-pack-basic'),
    first: 'read-only-text',
    evidence: /by the page-table line the page is r-x/,
  },
  {
    oops: 'x86-nx-fetch',
    is: 'the fetch of a published program in a page that was not made executable',
    trace: () => traceOf('x', () => callFails('x86_64-5.18-rc5-S1-pack-basic', 'set_memory_x')),
    first: 'F10',
    evidence: /set_memory_x returned −ENOMEM for this page/,
  },
  {
    oops: 'x86-read-only-alias-after-free',
    is: 'a write through an alias that stayed read-only after its pack was freed',
    trace: () => traceOf('splits', splitsFail),
    first: 'F9',
    evidence: /set_direct_map_default_noflush returned −ENOMEM for this frame/,
  },
  {
    oops: 'x86-fetch-freed-program',
    is: 'a fetch from a program whose pack is gone',
    trace: () => bundled('x86_64-5.18-rc5-S1-pack-basic'),
    first: 'freed-program',
    evidence: /bpf_prog_3b31b6636785e574_p8_96.* was freed/,
  },
  {
    oops: 'x86-fetch-freed-program',
    is: 'a fetch from a program whose pack another program took with it',
    trace: () => traceOf('unfinalized', freedUnfinalized),
    first: 'F6',
    evidence: /bpf_jit_free freed program:\d+, which was never finalized/,
  },
  {
    oops: 'x86-leftover-code-of-freed-program',
    is: 'a fault in the code of a freed program',
    trace: () => bundled('x86_64-5.18-rc5-S1-pack-basic'),
    first: 'F2',
    evidence: /bpf_prog_75c81ca770db8ddd_p3_64\) was freed there/,
  },
  {
    oops: 'x86-int3-in-freed-chunk',
    is: 'a trap in the chunk of a freed program, filled as newer kernels do',
    trace: () => bundled('x86_64-6.1-S1-pack-basic'),
    first: 'freed-program',
    evidence: /a kernel as 6.1 fills a chunk with traps/,
  },
  {
    oops: 'x86-int3-in-freed-chunk',
    is: 'the same with the dump that the recording began with',
    trace: () => captured('x86_64-6.1-S1-pack-basic'),
    first: 'freed-program',
    evidence: /its chunk was filled with traps when it was freed/,
  },
  {
    oops: 'x86-uninitialised-data-executed',
    is: 'the execution of what nobody wrote',
    trace: () => bundled('x86_64-5.18-rc3-S8-leftover-dirty'),
    first: 'F1',
    evidence: /nobody wrote it since the memory was allocated/,
  },
  {
    oops: 'x86-not-present-alias',
    is: 'a read through an alias that vfree has taken away for a moment',
    trace: () => bundled('x86_64-5.18-rc3-S8-leftover-dirty'),
    first: 'alias-away',
    evidence: /taken away and not given back yet/,
  },
  {
    oops: 'arm64-write-to-alias-of-other-page',
    is: 'a write to a page whose linear alias went read-only with its neighbour',
    trace: () => armTrace(armAliasOfOthers()),
    first: 'F19',
    evidence: /which was never made read-only itself/,
  },
  {
    oops: 'arm64-nx-fetch',
    is: 'the fetch of a published program in a page that was not made executable',
    trace: () => armTrace(armNotExecutable()),
    first: 'F10',
    evidence: /set_memory_x returned −EINVAL for this page/,
  },
  {
    oops: 'arm64-fetch-freed-program',
    is: 'a fetch from a program whose memory is gone',
    trace: () => armTrace(armFreed()),
    first: 'freed-program',
    evidence: /bpf_prog_ffc7dbc7d8840032_p1_16.* was freed/,
  },
  {
    oops: 'arm64-trap-in-live-program',
    is: 'a trap in a live program: an instruction cache that was not maintained',
    trace: () => armTrace(armLive()),
    first: 'F21',
    evidence: /which has no trap/,
  },
];

describe('a post-mortem', () => {
  for (const { oops, is, trace, first, evidence } of CASES)
    it(`finds ${is} (${oops})`, async () => {
      const found = explain(oopsOf(oops), await trace());
      const [best] = found.explanations;
      expect(best).to.include({ id: first, fit: 'fits', explains: 'fault' });
      expect(found.verdict).to.equal('explained');
      expect(best?.evidence.map(({ text }) => text).join('\n')).to.match(evidence);
      // Every claim about the past names events that are there.
      const { events } = (await trace()).info;
      for (const one of found.explanations)
        for (const seq of one.evidence.flatMap((own) => own.events)) expect(seq).to.be.within(1, events);
    });

  for (const folder of recordingsOf(/^5\.10-S3$/))
    it('finds code in the dispatcher, whose page is writable and executable, and no failure of packs where there are none', async () => {
      const found = explain(oopsOf('x86-writable-dispatcher'), await traceOf('dispatcher', folder));
      const ids = found.explanations.map(({ id, fit, explains }) => `${id} ${fit} ${explains}`);
      expect(ids).to.deep.equal(['writable-code fits fault', 'F16 fits state']);
      expect(found.explanations[0]?.evidence.map(({ text }) => text).join('\n')).to.include(
        'bpf_dispatcher_xdp',
      );
    });

  for (const folder of recordingsOf(/^6\.1-S4$/))
    it('finds a read in the middle of a vfree, and is not sure of it once the trace has the alias back', async () => {
      const oops = oopsOf('x86-alias-away-in-vfree');
      const trace = await traceOf('vfree', folder);
      expect(explain(oops, trace).explanations[0]).to.include({ id: 'alias-away', fit: 'fits' });
      const later = explain({ ...oops, time: (oops.time as bigint) + 43_000_000n }, trace);
      expect(later.explanations[0]).to.include({ id: 'alias-away', fit: 'possible' });
    });

  it('takes an address outside the linear map of arm64 for no alias, and reads text from the page-table line alone', () => {
    const found = explain(oopsOf('arm64-write-to-text-without-trace'), null);
    expect(found.explanations.map(({ id, fit }) => `${id} ${fit}`)).to.deep.equal(['read-only-text fits']);
    expect(postMortemParagraphs(found, { all: false }).flatMap(({ lines }) => lines)).to.include(
      'called by hook_patch ← do_one_initcall ← el0_svc',
    );
  });

  it('never calls anything a fit that needs a trace when there is none', () => {
    for (const { oops } of CASES) {
      const found = explain(oopsOf(oops), null);
      // That text is read-only and executable shows in the page-table line.
      const told = oops === 'x86-write-to-read-only-text' ? ['read-only-text'] : [];
      expect(
        found.explanations
          .filter(({ fit, explains }) => fit === 'fits' && explains === 'fault')
          .map(({ id }) => id),
        oops,
      ).to.deep.equal(told);
      expect(found).to.include({ verdict: told.length === 0 ? 'unknown' : 'explained' });
      expect(found.unknown).to.include('there is no trace: what happened before is not known');
    }
  });

  it('does not explain an oops by the trace of another story', async () => {
    // The same write to read-only memory, but the pack was freed as it should be.
    const found = explain(
      oopsOf('x86-read-only-alias-after-free'),
      await bundled('x86_64-5.18-rc3-S8-leftover-dirty'),
      'end',
    );
    expect(found.explanations.filter(({ explains }) => explains === 'fault')).to.deep.equal([]);
    expect(found.compared[0]).to.include({ what: 'permission', model: 'rw-', oops: 'r--', equal: false });
  });
});
