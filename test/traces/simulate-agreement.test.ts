import { expect } from 'chai';
import { basename } from 'node:path';
import type { Arch } from '../../core/arch/arch.js';
import { archNamed } from '../../core/arch/arches.js';
import { portOf } from '../../core/arch/port.js';
import type { Event } from '../../core/event/event.js';
import { Memory, type Pack } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import type { Profile } from '../../core/profile/profile.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { Address } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { workloadFromCapture } from '../../traces/workload/fromCapture.js';
import { must } from '../store/given.js';
import {
  agreement,
  callTrees,
  codeRange,
  inModules,
  namingByArea,
  plainNaming,
  project,
  visiblePairs,
  type Call,
  type Naming,
  type Side,
} from './callTree.js';
import {
  archOf,
  captureOf,
  eventsOf,
  imported,
  kernelOf,
  newDesk,
  phasesOf,
  recordings,
  recordingsOfOthers,
  startOf,
} from './recordings.js';

/** Work of others, and what others start. */
const FOREIGN = new Set([
  '__text_poke',
  'flush_tlb_kernel_range',
  '__purge_vmap_area_lazy',
  'text_poke_bp',
  '__vmalloc_node_range',
  'vfree',
]);

/** Without the memory of struct bpf_prog, which the calls of BPF take and give back too: an emulation has none. */
const ownCalls = (tree: Call): Call => ({
  ...tree,
  calls: tree.calls
    .filter(({ entered }) => !(entered.fn === 'vfree' && tree.entered.fn === 'bpf_jit_free'))
    .map(ownCalls),
});

interface Log {
  readonly start: Memory;
  readonly events: readonly Event[];
  readonly naming: Naming;
}

/** Whether a page among those of everybody is one of code, or of an area that was taken for code. */
const holdsCode = (memory: Memory, page: number): boolean => {
  const area = Memory.areaAt(memory, page);
  return (area !== null && area.since > 0 && area.caller !== '') || isExecutable(memory, page);
};

/** Whether a page was there at boot and is not BPF's: its alias is what its users have made of it. */
const isOthers = (memory: Memory, page: number): boolean => {
  const area = Memory.areaAt(memory, page);
  return area !== null && area.since === 0 && area.caller !== '' && !area.caller.includes('bpf');
};

const isExecutable = (memory: Memory, page: number): boolean =>
  Prot.has(Memory.page(memory, page)?.prot ?? 0, Prot.executable);

/** Module area of a memory, page by page: permission and leaf, and the permission of the alias. */
const pagesOf = (
  memory: Memory,
  naming: Naming,
  isCode: (page: number) => boolean,
): Map<string, { readonly page: string; readonly alias: string }> => {
  const pages = new Map<string, { page: string; alias: string }>();
  for (const [page, node, slot] of PageTable.pages(memory.virtual)) {
    if (!isCode(page)) continue;
    if (isCode !== inModules && !holdsCode(memory, page)) continue;
    const alias = Memory.alias(memory, node.frame[slot] as number);
    pages.set(naming(memory.seq, Address.of(page)), {
      page: `${Prot.toText(node.prot[slot] as number)} ${node.shift[slot]}`,
      alias:
        alias === null || (isCode !== inModules && isOthers(memory, page)) ? '?' : Prot.toText(alias.prot),
    });
  }
  return pages;
};

/** Runs of taken chunks. */
const takenOf = ({ used, bytes }: Pack): string => {
  const runs: string[] = [];
  const isTaken = (chunk: number): boolean => ((used[chunk >>> 5] ?? 0) & (1 << (chunk & 31))) !== 0;
  for (let chunk = 0; chunk < bytes / 64; chunk++) {
    if (!isTaken(chunk)) continue;
    const first = chunk;
    while (isTaken(chunk + 1)) chunk++;
    runs.push(`${first}-${chunk}`);
  }
  return runs.join(' ');
};

/** Programs, packs and symbols, but for the symbols that were there before (an emulation has none of these), and what is charged. */
const objectsOf = (memory: Memory, naming: Naming, before: readonly string[], profile: Profile): object => {
  const at = (address: Address): string => naming(memory.seq, address);
  // Only newer kernels say in a call that a program is a classic one.
  const typeOf = (type: string): string => (type === 'classic' && !profile.wasClassic ? 'program' : type);
  const programs = [...Memory.programs(memory)].map(
    ({ chunk, bytes, type, state, start, length, symbols }) =>
      `${at(chunk)} ${bytes} ${typeOf(type)} ${state} ${start === null ? '-' : at(start)} ${length} ${symbols}`,
  );
  const symbols = [...Memory.symbols(memory)].filter(({ name }) => !before.includes(name));
  return {
    programs: programs.sort(),
    symbols: symbols.map(({ start, name }) => `${at(start)} ${name}`).sort(),
    packs: memory.packs.map((pack) => `${at(Address.of(pack.start))} ${pack.bytes}: ${takenOf(pack)}`),
    charged: memory.charged,
  };
};

/** Debian builds its kernels for s390x without: nothing is compiled there that could be emulated. */
const hasJit = (folder: string): boolean => archOf(folder) !== 's390x';

describe('an emulation of a recorded workload', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();

  for (const folder of [...recordings(), ...recordingsOfOthers().filter(hasJit)]) {
    const name = basename(folder);
    const kernel = kernelOf(folder);
    const arch = archNamed(archOf(folder)) as Arch;
    const profile = portOf(profileNamed(kernel) as Profile, arch);
    const isCode = codeRange(arch, profile);

    describe(name, () => {
      let recorded: Log;
      let emulated: Log;

      before(async () => {
        const { report } = await imported(store, folder);
        const { workload } = must(await workloadFromCapture(captureOf(folder)));
        must(simulate(store, workload, { kernel, arch: arch.name, name: `${name} again` }));
        [recorded, emulated] = [report.trace, `${name} again`].map((trace): Log => {
          const log = must(store.trace(trace));
          const events = eventsOf(log);
          // Which address 5.10 takes depends on a tree of free areas that no recording shows.
          return {
            start: startOf(log),
            events,
            naming: !arch.ownRange
              ? namingByArea(events, ({ caller }) => caller !== '')
              : kernel === '5.10'
                ? namingByArea(events)
                : plainNaming,
          };
        }) as [Log, Log];
      });

      it('makes the same calls with the same values, as far as the recording shows them', () => {
        const rec = callTrees(recorded.events);
        const emu = callTrees(emulated.events);
        const pairs = visiblePairs(rec);
        const side = (trees: Side['trees'], { naming }: Log): Side => ({
          trees: trees
            .filter((tree) => !FOREIGN.has(tree.entered.fn))
            .map((tree) => project(ownCalls(tree), pairs)),
          naming,
        });
        const { calls, values, open, differences } = agreement(
          side(rec, recorded),
          side(emu, emulated),
          isCode,
        );
        expect(differences.slice(0, 5)).to.deep.equal([]);
        expect(calls).to.be.above(100);
        expect(values).to.be.above(300);
        // A new pack holds what its frames held before, where it is not filled; without an image there is no entry.
        const fills = profile.pack.fillNew;
        const unknown = [
          'bpf_int_jit_compile =bpf_func',
          // Bits that depend on the processor.
          ...(arch.protKernel === undefined ? ['__vmalloc_node_range prot'] : []),
          ...(fills ? [] : ['bpf_jit_binary_pack_finalize ro_header_size']),
        ];
        expect([...open].filter((value) => !unknown.includes(value))).to.deep.equal([]);
      });

      it('has the same pages, aliases, programs, packs and symbols at every phase', () => {
        const before = [...Memory.symbols(recorded.start)].map((symbol) => symbol.name);
        const rec = [...phasesOf(recorded.start, recorded.events)];
        const emu = [...phasesOf(emulated.start, emulated.events)];
        expect(emu.map(([phase]) => phase)).to.deep.equal(rec.map(([phase]) => phase));
        for (const [i, [phase, memory]] of rec.entries()) {
          const other = (emu[i] as (typeof emu)[number])[1];
          const pages = pagesOf(memory, recorded.naming, isCode);
          const others = pagesOf(other, emulated.naming, isCode);
          expect([...others.keys()].sort(), phase).to.deep.equal([...pages.keys()].sort());
          for (const [page, { page: own, alias }] of pages) {
            const emulatedPage = others.get(page);
            if (own !== emulatedPage?.page) expect(emulatedPage?.page, `${phase} ${page}`).to.equal(own);
            if (alias !== '?' && alias !== emulatedPage?.alias)
              expect(emulatedPage?.alias, `${phase} alias of ${page}`).to.equal(alias);
          }
          expect(objectsOf(other, emulated.naming, before, profile), phase).to.deep.equal(
            objectsOf(memory, recorded.naming, before, profile),
          );
        }
      });
    });
  }
});
