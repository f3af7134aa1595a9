/** Claims about other architectures than x86-64: C10, C11, C19, C29, C30. */
import type { Event } from '../../core/event/event.js';
import { Memory } from '../../core/memory/memory.js';
import { Prot } from '../../core/value/prot.js';
import { grouped, plural } from '../numbers.js';
import { broken, callsOf, markerOf, memoryAt, pagesWith, resultsOf } from './looking.js';
import type { Claim, Seen } from './claim.js';
import type { EmulationRun } from '../emulation.js';

const packEvents = ({ events }: EmulationRun): readonly Event[] =>
  events.filter(
    (event) =>
      event.kind === 'pack-created' || (event.kind === 'entered' && event.fn === 'bpf_prog_pack_alloc'),
  );

const OTHERS = ['arm64', 'ppc64le', 'riscv64', 's390x'] as const;

/** Permission and leaf of the first page of the first pack. */
const firstPack = (run: EmulationRun): string => {
  const made = run.events.find((event) => event.kind === 'pack-created');
  if (made?.kind !== 'pack-created') return 'no pack';
  const entry = Memory.page(memoryAt(run, markerOf(run, 'loaded')), made.start);
  return entry === null
    ? 'not mapped'
    : `${Prot.toText(entry.prot)} on a leaf of ${2 ** (entry.shift - 10)} KiB`;
};

export const ARCHITECTURE_CLAIMS: readonly Claim[] = [
  {
    id: 'C10',
    claim: 'set_memory_ro of powerpc returns -EINVAL, with a warning, for vmalloc areas of huge pages',
    who: 'Linus Torvalds',
    when: '27 April 2022, CAHk-=wgA1Uku=ejwknv11ssNhz2pswhD=mJFBPEMQtCspz0YEQ@mail.gmail.com',
    verdict: 'confirmed',
    because:
      'no entry is changed, so a pack on a 2M leaf stays writable and not executable; still so in 7.1.5',
    look: (lab) => {
      const seen = ['5.18-rc5', '7.1'].map((kernel): Seen => {
        const run = lab.run({
          kernel,
          arch: 'ppc64le',
          workload: 'one-program',
          pack: true,
          huge: true,
          force: true,
        });
        const results = resultsOf(run, 'change_memory_attr');
        const warned = run.events.filter(
          (event) => event.kind === 'warned' && event.text.includes('huge pages'),
        ).length;
        return {
          what: `${kernel}: ${plural(results.length, 'permission call')} of the pack, result ${[...new Set(results)].join(', ')}, ${plural(warned, 'warning')}`,
          holds: results.length > 0 && results.every((result) => result === -22) && warned === results.length,
        };
      });
      const kept = firstPack(
        lab.run({
          kernel: '5.18-rc5',
          arch: 'ppc64le',
          workload: 'one-program',
          pack: true,
          huge: true,
          force: true,
        }),
      );
      return {
        ran: 'one program on powerpc with its pack forced onto a 2M leaf',
        seen: [
          ...seen,
          { what: `5.18-rc5: the pack stays ${kept}`, holds: kept === 'rw- on a leaf of 2048 KiB' },
        ],
        commands: [
          'pagetrail simulate one-program --kernel 5.18-rc5 --arch ppc64le --pack --huge --force --name c10',
          'pagetrail events c10 --kind entered,returned,warned',
          "pagetrail state 'c10@#loaded'",
          'pagetrail simulate one-program --kernel 7.1 --arch ppc64le --pack --huge --force --name c10-later',
          'pagetrail events c10-later --kind entered,returned,warned',
        ],
      };
    },
  },
  {
    id: 'C11',
    claim:
      'only x86 implements bpf_arch_text_copy; other architectures go through the motions and fail at the end',
    who: 'Linus Torvalds',
    when: '27 April 2022, CAHk-=wgA1Uku=ejwknv11ssNhz2pswhD=mJFBPEMQtCspz0YEQ@mail.gmail.com',
    verdict: 'both',
    because:
      'the first half is confirmed. The second is refuted: no other JIT asked for a pack in 5.18, so nothing fails. Forced onto the pack, what was feared is what happens',
    look: (lab) => {
      const stock = OTHERS.map((arch): Seen => {
        const run = lab.run({ kernel: '5.18-rc5', arch, workload: 'one-program' });
        const live = [...Memory.programs(memoryAt(run, markerOf(run, 'loaded')))].length;
        return {
          what: `${arch} as it was: ${plural(packEvents(run).length, 'pack event')}, ${plural(live, 'program')} compiled`,
          holds: packEvents(run).length === 0 && live === 1,
        };
      });
      const forced = lab.run({
        kernel: '5.18-rc5',
        arch: 'ppc64le',
        workload: 'one-program',
        pack: true,
        force: true,
      });
      const results = resultsOf(forced, 'bpf_jit_binary_pack_finalize');
      const copies = resultsOf(forced, 'bpf_arch_text_copy').length;
      const warned = forced.events.filter(
        (event) => event.kind === 'warned' && event.text === 'bpf_jit_binary_pack_finalize failed',
      ).length;
      const charged = forced.memory.charged ?? 0;
      const published = forced.events.filter(({ kind }) => kind === 'published').length;
      return {
        ran: 'one program on four architectures as they were in 5.18, and on powerpc forced onto the pack',
        seen: [
          ...stock,
          {
            what: `ppc64le forced: ${plural(copies, 'text copy', 'text copies')}, finalize returns ${results.join(', ')}, ${plural(warned, 'warning')}, ${plural(published, 'symbol')}: the interpreter runs it`,
            holds:
              copies === 1 && results.length === 1 && results[0] === -524 && warned === 1 && published === 0,
          },
          {
            what: `ppc64le forced: ${grouped(charged)} bytes stay charged for ever (F11)`,
            holds: charged === 448,
          },
        ],
        commands: [
          'pagetrail simulate one-program --kernel 5.18-rc5 --arch ppc64le --name c11',
          'pagetrail simulate one-program --kernel 5.18-rc5 --arch ppc64le --pack --force --name c11-forced',
          'pagetrail events c11-forced',
          'pagetrail audit c11-forced',
          'pagetrail matrix one-program --kernels 5.18-rc5 --arches arm64,ppc64le,riscv64,s390x',
        ],
      };
    },
  },
  {
    id: 'C19',
    claim: 'powerpc and s390 are fine with huge vmalloc, the faults are those of x86',
    who: 'Nicholas Piggin',
    when: 'April 2022',
    verdict: 'confirmed',
    because:
      'plausible, as far as it goes: powerpc and s390 do not reset the direct map in vfree, so nothing splits and nothing can fail there. It says nothing of permissions, for which powerpc needs small pages (C10)',
    look: (lab) => {
      const run = lab.run({ kernel: '5.18-rc3', arch: 'ppc64le', workload: 'one-program' });
      const calls = callsOf(run, 'set_direct_map_invalid_noflush').length;
      const leaves = Object.keys(run.figures.pages).join(', ');
      const s390x = lab.run({ kernel: '5.18-rc3', arch: 's390x', workload: 'one-program' });
      const theirs =
        callsOf(s390x, 'set_direct_map_invalid_noflush').length + s390x.figures.splits.direct_map;
      const huge = lab.run({
        kernel: '5.18-rc3',
        arch: 'ppc64le',
        workload: 'one-program',
        pack: true,
        huge: true,
        force: true,
      });
      const freed = huge.events.filter(({ kind }) => kind === 'area-freed').length;
      const hugeCalls =
        callsOf(huge, 'set_direct_map_invalid_noflush').length + huge.figures.splits.direct_map;
      const x86 = lab.run({ kernel: '5.18-rc3', workload: 'one-program' }).figures.splits.direct_map;
      return {
        ran: 'one program on powerpc and s390x of 5.18-rc3, where huge vmalloc was the default, and on powerpc with its pack forced onto a 2M leaf',
        seen: [
          { what: `${plural(calls, 'call')} for direct-map pages at the free`, holds: calls === 0 },
          {
            what: `${plural(run.figures.splits.direct_map, 'split')} of the direct map`,
            holds: run.figures.splits.direct_map === 0,
          },
          { what: `executable pages of ${leaves} bytes`, holds: leaves === '4096' },
          {
            what: `forced onto 2M leaves: ${plural(freed, 'area')} freed, ${hugeCalls} calls or splits`,
            holds: freed > 0 && hugeCalls === 0,
          },
          {
            what: `s390x: ${theirs} calls or splits; x86-64: ${plural(x86, 'split')}`,
            holds: theirs === 0 && x86 > 0,
          },
        ],
        commands: [
          'pagetrail matrix one-program --kernels 5.18-rc3 --arches x86_64,ppc64le,s390x',
          'pagetrail simulate one-program --kernel 5.18-rc3 --arch ppc64le --pack --huge --force --name c19',
          'pagetrail events c19',
        ],
      };
    },
  },
  {
    id: 'C29',
    claim: 'arm64 needs another range for each type of code, so one allocator with types',
    who: 'Mark Rutland',
    when: '2023',
    verdict: 'confirmed',
    because:
      'BPF images lie anywhere in the vmalloc range there, outside what modules may reach by a direct branch: execmem (6.10) has ranges by type',
    look: (lab) => {
      const seen = ['6.1', '6.12'].map((kernel): Seen => {
        const run = lab.run({ kernel, arch: 'arm64', workload: 'one-program' });
        const [page = 0] = pagesWith(memoryAt(run, markerOf(run, 'loaded')), Prot.executable);
        const [, modulesEnd] = run.kernel.arch.modulesOnly?.(run.kernel.profile) ?? [0, 0];
        return {
          what: `${kernel}: code at 0x${page.toString(16)}000, the module area ends at 0x${modulesEnd.toString(16)}000`,
          holds: page >= modulesEnd && modulesEnd > 0,
        };
      });
      const x86 = lab.run({ kernel: '6.12', workload: 'one-program' });
      const [ours = 0] = pagesWith(memoryAt(x86, markerOf(x86, 'loaded')), Prot.executable);
      const [from, to] = x86.kernel.arch.moduleRange(x86.kernel.profile);
      return {
        ran: 'one program on arm64, and on x86-64',
        seen: [
          ...seen,
          {
            what: `x86-64, 6.12: code at 0x${ours.toString(16)}000, among the modules, which lie from 0x${from.toString(16)}000 to 0x${to.toString(16)}000`,
            holds: ours >= from && ours < to,
          },
        ],
        commands: [
          'pagetrail simulate one-program --kernel 6.12 --arch arm64 --name c29',
          "pagetrail state 'c29@#loaded'",
          'pagetrail simulate one-program --kernel 6.12 --name c29-x86',
          "pagetrail state 'c29-x86@#loaded'",
        ],
      };
    },
  },
  {
    id: 'C30',
    claim:
      'on powerpc without STRICT_MODULE_RWX module_alloc gives memory that is writable and executable, and callers expect to write it; the pack makes it read-only',
    who: 'Christophe Leroy, Hari Bathini',
    when: 'November 2022',
    verdict: 'confirmed',
    because:
      'in the first posting; what was merged (6.8) writes through a temporary mapping, so the read-only pack does no harm',
    look: (lab) => {
      const old = lab.run({ kernel: '6.6', arch: 'ppc64le-rwx', workload: 'one-program' });
      const both = old.figures.writable_executable.pages;
      const pack = lab.run({ kernel: '6.8', arch: 'ppc64le-rwx', workload: 'one-program' });
      const ways = pack.events.flatMap((event) =>
        event.kind === 'copied' && event.what === 'image' ? [event.way] : [],
      );
      const stores = ways.filter((way) => way === 'store').length;
      const pokes = ways.length - stores;
      const map = pack.events.find(({ kind }) => kind === 'mapped');
      const mapped = map?.kind === 'mapped' ? Prot.toText(map.prot) : 'not mapped';
      return {
        ran: 'one program on powerpc without STRICT_MODULE_RWX, before and after its JIT took to packs',
        seen: [
          {
            what: `6.6: ${plural(both, 'page')} writable and executable at once; rule I2 is broken (${broken(old, 'I2')})`,
            holds: both > 0 && broken(old, 'I2') > 0,
          },
          {
            what: `6.8: the area is mapped ${mapped}, the pack is ${firstPack(pack)}`,
            holds: mapped === 'rwx' && firstPack(pack) === 'r-x on a leaf of 4 KiB',
          },
          {
            what: `6.8: ${plural(pokes, 'copy', 'copies')} of an image through another mapping, ${plural(stores, 'plain store')} into the pack`,
            holds: pokes > 0 && stores === 0,
          },
        ],
        commands: [
          'pagetrail matrix one-program --kernels 6.6,6.8 --arches ppc64le,ppc64le-rwx',
          'pagetrail simulate one-program --kernel 6.8 --arch ppc64le-rwx --name c30',
          "pagetrail events c30 --to '#loaded' --kind mapped,filled,permission,copied",
        ],
      };
    },
  },
];
