import { unitOf, type Arch } from '../../arch/arch.js';
import { VM_FLUSH_RESET_PERMS } from '../../event/areas.js';
import type { Fact } from '../../event/event.js';
import type { Profile } from '../../profile/profile.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import type { WorkloadBoot } from '../../workload/workload.js';
import type { FramePool } from './frames.js';

const LARGE = 512;
const ROX = Prot.present | Prot.executable;

const parse = (text: string): Address => Address.parse(text) ?? Address.zero;

/** What of a boot state can have been on this kernel: a workload may come from another one. */
const fitting = (
  boot: WorkloadBoot | undefined,
  profile: Profile,
  first: number,
  end: number,
): Pick<WorkloadBoot, 'areas' | 'packs'> => {
  const packs = profile.allocator === 'pack' && profile.pack.size !== 'trial' ? (boot?.packs ?? []) : [];
  const kept = new Set(packs.map((pack) => parse(pack.start).page as number));
  const strange = new Set(
    (boot?.packs ?? []).map((pack) => parse(pack.start).page as number).filter((page) => !kept.has(page)),
  );
  const areas = (boot?.areas ?? []).filter((area) => {
    const { page } = parse(area.start);
    return page >= first && page < end && !strange.has(page);
  });
  return { areas, packs };
};

/** Memory of the emulated machine before the first operation, as facts. Areas that are there at boot are read-only and executable, as in every recording. */
export const bootFacts = (
  boot: WorkloadBoot | undefined,
  profile: Profile,
  arch: Arch,
  pool: FramePool,
): Fact[] => {
  const facts: Fact[] = [{ kind: 'bases-learned', direct: arch.directBase, vmemmap: arch.vmemmap }];
  const [first, end] = arch.moduleRange(profile);
  const limit =
    boot?.jit_limit ??
    Math.ceil(((end - first) * PAGE_SIZE) / 2 ** profile.limitShift / PAGE_SIZE) * PAGE_SIZE;
  const small = arch.leafShifts[0] as number;
  const dirty = profile.cpa.clearsDirty ? 0 : Prot.dirty;
  const { areas, packs } = fitting(boot, profile, first, end);
  for (const area of areas) {
    const start = parse(area.start).page;
    const pages = parse(area.end).page - start;
    facts.push({
      kind: 'area-allocated',
      start,
      pages,
      flags: profile.setsResetFlag ? VM_FLUSH_RESET_PERMS : 0,
      caller: area.caller,
    });
    // Large backing blocks come from the kernel; a pack that lies on a 2M boundary over one of them is one leaf (7.2).
    const mapped = pages - unitOf(arch);
    const large = profile.cpa.collapse && mapped === LARGE && start % LARGE === 0;
    const runs = pool.take(mapped, large, profile.contiguousBacking) ?? [];
    let page: number = start;
    for (const run of runs) {
      facts.push({
        kind: 'mapped',
        page,
        pages: run.pages,
        shift: large ? 21 : small,
        prot: ROX | dirty,
        frame: run.frame,
      });
      for (let region = run.frame - (run.frame % LARGE); region < run.frame + run.pages; region += LARGE)
        facts.push({ kind: 'leaf-known', page: region, shift: small });
      facts.push({
        kind: 'direct-mapped',
        page: run.frame,
        pages: run.pages,
        shift: small,
        prot: Prot.present | dirty | (arch.mirrorsReadOnly(profile) ? 0 : Prot.writable),
      });
      page += run.pages;
    }
  }
  // Other areas hold code of their users (ftrace trampolines, kprobe slots).
  const packStarts = new Set(packs.map((pack) => parse(pack.start).page as number));
  for (const area of areas) {
    const start = parse(area.start);
    const bytes = Address.minus(parse(area.end), start) - PAGE_SIZE;
    if (!packStarts.has(start.page))
      facts.push({ kind: 'copied', to: start, length: bytes, what: 'code', way: 'store' });
  }
  for (const pack of packs) {
    const start = parse(pack.start);
    facts.push({
      kind: 'pack-created',
      start: start.page,
      bytes: pack.bytes,
      partial: pack.chunks === null ? 1 : 0,
    });
    facts.push({ kind: 'filled', to: start, length: pack.bytes, pattern: arch.trap, way: 'store' });
    for (const chunk of pack.chunks ?? []) {
      const at = Address.add(start, chunk.offset);
      facts.push({ kind: 'chunk-allocated', pack: start.page, at, bytes: chunk.bytes });
      facts.push({ kind: 'copied', to: at, length: chunk.bytes, what: 'code', way: 'store' });
    }
  }
  facts.push({
    kind: 'limit-set',
    bytes: limit,
    charged: boot === undefined || packs.length < boot.packs.length ? 0 : (boot.jit_charged ?? -1),
  });
  return facts;
};
