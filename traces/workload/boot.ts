/** What a kernel's executable area holds before the first operation, read from a dump. */
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import type { BootArea } from '../../core/workload/workload.js';
import type { Dump } from '../capture/dump.js';
import type { MemoryBytes } from '../capture/packHex.js';
import { rangeBytes } from '../capture/range.js';
import type { DumpedArea } from '../capture/vmallocinfo.js';
import type { BootPack, WorkloadBoot } from './workload.js';

const CHUNK = 64;
/** A pack of this size or more is one; smaller areas of the same caller hold a single program. */
const PACK = 2 * 1024 * 1024;

/** Functions that allocate packs, or single programs, as vmallocinfo names them (kernel/bpf/core.c; arch code elsewhere). */
const PACK_CALLER = /^(?:bpf_prog_pack_alloc|alloc_new_pack|bpf_jit_alloc_exec)\+/;
const PROGRAM_CALLER = /^(?:bpf_jit_binary_alloc|bpf_jit_alloc_exec)\+/;

const mappedBytes = (area: DumpedArea, guard: number): number => rangeBytes(area) - guard;

/** A chunk that nobody uses: one 4-byte fill over and over (0xcc, brk, trap; zero on riscv64). */
const isFree = (chunk: Uint8Array): boolean => chunk.every((byte, i) => byte === chunk[i % 4]);

const littleEndian = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

/**
 * The taken runs of a pack, by walking its headers: each program begins with its size. Objects without a header (the
 * XDP dispatcher) break the walk; then, and where bytes are missing, nothing is known.
 */
const walkPack = (bytes: MemoryBytes, start: Address, size: number): BootPack['chunks'] => {
  const chunks: { offset: number; bytes: number }[] = [];
  for (let offset = 0; offset < size;) {
    const at = Address.add(start, offset);
    const whole = bytes.read(at, CHUNK);
    const header = whole ?? bytes.read(at, 4);
    if (header === null) return null;
    if (whole !== null && isFree(whole)) {
      offset += CHUNK;
      continue;
    }
    const length = littleEndian(header);
    if (length === 0 || length % CHUNK !== 0 || offset + length > size) return null;
    chunks.push({ offset, bytes: length });
    offset += length;
  }
  return chunks;
};

const holdsCode = (dump: Dump, area: DumpedArea): boolean =>
  dump.absent.includes('pagetable.txt') ||
  dump.executableArea.some(
    ({ executable, start }) => executable && start.page >= area.start.page && start.page < area.end.page,
  );

const bootArea = ({ start, end, caller, pages }: DumpedArea): BootArea => {
  const area = { start: Address.toText(start), end: Address.toText(end), caller };
  return pages === null ? area : { ...area, pages };
};

/** `pageSize`: the guest's, which is also the size of a guard page. */
export const bootOf = (dump: Dump, pageSize: number): WorkloadBoot => {
  const packs: BootPack[] = [];
  let charged: number | null = 0;
  for (const area of dump.areas) {
    const size = mappedBytes(area, pageSize);
    if (PACK_CALLER.test(area.caller) && size >= PACK) {
      const chunks = dump.bytes === null ? null : walkPack(dump.bytes, area.start, size);
      packs.push({ start: Address.toText(area.start), bytes: size, chunks });
      charged =
        charged === null || chunks === null ? null : charged + chunks.reduce((sum, c) => sum + c.bytes, 0);
    } else if (PROGRAM_CALLER.test(area.caller) && charged !== null) {
      charged += (area.pages ?? size / PAGE_SIZE) * pageSize;
    }
  }
  const known = !dump.absent.includes('vmallocinfo.txt');
  return {
    ...(dump.jitLimit === null ? {} : { jit_limit: dump.jitLimit }),
    jit_charged: known ? charged : null,
    // Where areas of data are dumped too: they are none of code.
    areas: dump.areas.filter((area) => holdsCode(dump, area)).map(bootArea),
    packs,
  };
};
