import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Fact } from '../../../core/event/event.js';
import type { Oops } from '../../../core/oops/oops.js';
import { Prot } from '../../../core/value/prot.js';
import { must } from '../../../replay/failed.js';
import type { TraceView } from '../../../replay/log.js';
import { oopsMoment } from '../../../replay/postmortem/moment.js';
import { postMortem } from '../../../replay/postmortem/postmortem.js';
import { postMortemJson } from '../../../replay/postmortem/postmortemJson.js';
import { postMortemParagraphs } from '../../../replay/postmortem/postmortemLines.js';
import { readConsole } from '../../../traces/oops/read.js';
import { oopsWith } from '../../core/oops/given.js';
import { bundledTrace } from '../../traces/oops/scenarios.js';
import { oopsText } from '../../traces/oops/fixtures.js';
import { logOf } from '../given.js';
import { armFreed } from './arm64.js';
import { armTrace, explain, oopsOf, traceOf } from './given.js';
import { story } from './story.js';

const RC5 = 'x86_64-5.18-rc5-S1-pack-basic';
const ms = 1_000_000;
const ORIGIN = 5_000_000_000n;

describe('the moment of an oops', () => {
  const marks: readonly Fact[] = ['a', 'b', 'c'].map((text) => ({ kind: 'marker', text }));
  const trace = must(
    logOf(story(ms, marks), { meta: { source: 'recording', origin: String(ORIGIN) } }).trace('t'),
  );
  const at = (time: bigint | null, of: TraceView = trace) =>
    must(oopsMoment(of, oopsWith({ time }), null, false));

  it('is found by its time on the clock of the trace', () => {
    expect(at(ORIGIN + 1_500_000n)).to.include({ seq: 2, outside: false });
    expect(at(ORIGIN)).to.include({ seq: 1, outside: false });
  });

  it('is the end for an oops shortly after it, and not known to be for one long after', () => {
    expect(at(ORIGIN + 900_000_000n)).to.include({ seq: 3, outside: false });
    expect(at(ORIGIN + 9_000_000_000n)).to.include({ seq: 3, outside: true });
  });

  it('is before the first event, or without a time the end, and neither is known', () => {
    expect(at(ORIGIN - 1n)).to.include({ seq: 0, outside: true });
    expect(at(null)).to.include({ seq: 3, outside: true });
    const emulated = must(logOf(story(ms, marks), { meta: { source: 'emulation', origin: '0' } }).trace('t'));
    expect(at(ORIGIN, emulated)).to.include({ seq: 3, outside: true });
  });

  it('is the end of a trace that was dumped with it, or what somebody says', () => {
    expect(must(oopsMoment(trace, oopsWith({ time: 1n }), null, true))).to.include({
      seq: 3,
      outside: false,
    });
    expect(must(oopsMoment(trace, oopsWith({ time: null }), '#b', false))).to.include({
      seq: 2,
      outside: false,
    });
    expect(oopsMoment(trace, oopsWith({}), '#x', false).ok).to.equal(false);
  });
});

describe('an address without a direct map in the trace', () => {
  const facts: readonly Fact[] = [
    { kind: 'area-allocated', start: 0xffffffffa0203, pages: 2, flags: 0, caller: 'x' },
  ];
  const trace = must(
    logOf(story(ms, facts), { meta: { arch: 'x86_64', origin: String(ORIGIN) } }).trace('t'),
  );
  const spaceOf = (address: bigint, pte: bigint): string => {
    const own = oopsWith({
      address,
      access: 'write',
      present: true,
      time: ORIGIN,
      entries: [{ level: 'pte', raw: pte }],
    });
    const place = explain(own, trace).scene.traced?.place;
    return `${place?.space} ${place?.base?.from ?? '-'}`;
  };

  it('is placed by the page-table line: virtual and physical differ by whole GiB', () => {
    expect(spaceOf(0xffff9e6ad18b7000n, 0x80000003518b6161n)).to.equal('virtual -');
    expect(spaceOf(0xffff9e6ad18b6000n, 0x80000003518b6161n)).to.equal('direct oops');
    expect(spaceOf(0xffffffffc0203000n, 0x203161n)).to.equal('virtual -');
    expect(spaceOf(0x7f0000001000n, 0x1067n)).to.equal('user -');
  });
});

describe('the rebuilt page table against the one printed', () => {
  it('says where they are equal', async () => {
    const { compared } = explain(
      oopsOf('x86-fetch-freed-program'),
      await traceOf(RC5, () => bundledTrace(RC5)),
    );
    expect(compared).to.deep.equal([
      { what: 'permission', model: '---', oops: '---', equal: true, note: null },
    ]);
  });

  it('says what each difference means', async () => {
    const trace = await traceOf(RC5, () => bundledTrace(RC5));
    const own = oopsOf('x86-nx-fetch');
    const upper = own.entries.filter(({ level }) => level !== 'pte');
    const line = (raw: bigint): Oops => ({ ...own, entries: [...upper, { level: 'pte', raw }] });
    const say = (raw: bigint): string =>
      explain(line(raw), trace)
        .compared.map(({ what, model, oops, note }) => `${what} ${model} ${oops} ${note}`)
        .join('\n');
    expect(say(0x8000000006d5d161n)).to.match(/^permission r-x r-- the real page allows less/);
    expect(say(0x6d5d163n)).to.match(/^permission r-x rwx the real page is writable/);
    expect(say(0n)).to.match(/^permission r-x --- something took the page away/);
    expect(say(0x6d5e161n)).to.match(
      /frame 0x0000000006d5d000 0x0000000006d5e000 the address was mapped anew/,
    );
  });

  it('says nothing of what was lost', async () => {
    const text = `${bundledTrace(RC5).split('phase: freed3')[0]}phase: freed3\nCPU:0 [LOST 12 EVENTS]\n`;
    const [first] = explain(oopsOf('x86-nx-fetch'), await traceOf('lost', () => text), 'end').compared;
    expect(first).to.include({ what: 'permission', model: null, oops: 'r--', equal: null });
  });
});

describe('a writer', () => {
  it('of a page is who changed it last, with the calls around', async () => {
    const { permission, content } = explain(
      oopsOf('x86-fetch-freed-program'),
      await traceOf(RC5, () => bundledTrace(RC5)),
    );
    expect(permission?.event.kind).to.equal('unmapped');
    expect(permission?.calls.map(({ fn }) => fn)).to.include.members([
      'vfree',
      'bpf_prog_pack_free',
      'bpf_jit_free',
    ]);
    expect(content?.event.kind).to.equal('copied');
  });

  it('of content is who wrote these bytes, not others of the page', () => {
    const { content } = explain(oopsOf('arm64-fetch-freed-program'), armTrace(armFreed()));
    expect(content?.event.kind).to.equal('program-freed');
  });
});

describe('an oops without a trace', () => {
  it('that is a jump into the direct map says so by its page-table line', () => {
    const entries = [
      { level: 'pgd', raw: 0x1e5c01067n },
      { level: 'pud', raw: 0x342f3d063n },
      { level: 'pmd', raw: 0x80000003518001e3n },
    ] as const;
    const own = oopsWith({
      address: 0xffff9e6ad18b6000n,
      access: 'execute',
      present: true,
      code: 0x11n,
      release: '5.15.0',
      entries,
    });
    const made = explain(own, null);
    expect(made.explanations.map(({ id, fit }) => `${id} ${fit}`)).to.deep.equal(['executed-alias fits']);
    expect(made.verdict).to.equal('explained');
  });
});

describe('what is seen beside the fault', () => {
  it('explains nothing: the verdict is that nothing is found, and it has a heading of its own', async () => {
    // A read that the page table allows nobody to refuse: of a dirty read-only page in the middle of a live program.
    const trace = await traceOf(RC5, () => bundledTrace(RC5));
    const own = oopsWith({
      kind: 'bug',
      pc: { address: 0xffffffffa0203020n, symbol: null, offset: 0, size: null, module: null },
    });
    const made = explain(own, trace, '#loaded8');
    expect(made.explanations.map(({ id, explains }) => `${id} ${explains}`)).to.deep.equal(['F40 state']);
    expect(made.verdict).to.equal('nothing');
    const titles = postMortemParagraphs(made, { all: false }).map(
      ({ title, lines }) => `${title}: ${lines[0]}`,
    );
    expect(titles).to.include('What fits: nothing that is known explains this fault');
    expect(titles.join('\n')).to.match(/^Seen beside it, .*: 1\. F40/m);
  });
});

describe('a report', () => {
  const names = [
    'x86-write-to-read-only-text',
    'x86-not-present-alias',
    'arm64-nx-fetch',
    'arm64-trap-in-live-program',
  ];
  const facts: readonly Fact[] = [
    { kind: 'bases-learned', direct: 0xffff888000000, vmemmap: { hi: 0, lo: 0 } },
    { kind: 'area-allocated', start: 0xffffffffc0000, pages: 3, flags: 0, caller: 'x' },
    { kind: 'mapped', page: 0xffffffffc0000, pages: 2, shift: 12, prot: Prot.kernel, frame: 0x7205 },
  ];
  const traces = new Map(
    ['x86_64', 'arm64'].map((arch) => [
      arch,
      must(logOf(story(ms, facts), { meta: { arch, origin: String(ORIGIN) } }).trace('t')),
    ]),
  );

  it('is made of any text, however damaged', () => {
    const lines = names.flatMap((name) => oopsText(name).split('\n'));
    const damaged = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.nat(lines.length - 1).map((i) => lines[i] as string) },
        fc.tuple(fc.nat(lines.length - 1), fc.nat(200), fc.string({ maxLength: 4 })).map(([i, at, put]) => {
          const line = lines[i] as string;
          return line.slice(0, at) + put + line.slice(at + put.length);
        }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(damaged, (text) => {
        for (const own of readConsole(text.join('\n')).oopses)
          for (const trace of [null, traces.get(own.arch) ?? null]) {
            const made = must(postMortem(own, { trace, at: null, sameText: false }));
            expect(postMortemParagraphs(made, { all: true })).to.not.deep.equal([]);
            expect(JSON.parse(JSON.stringify(postMortemJson(made)))).to.include({ verdict: made.verdict });
          }
      }),
      { numRuns: 300 },
    );
  });
});
