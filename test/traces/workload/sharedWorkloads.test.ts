import { basename } from 'node:path';

import { expect } from 'chai';

import { Address } from '../../../core/value/address.js';
import { openCapture, type Capture } from '../../../traces/capture/capture.js';
import { isPhaseMark } from '../../../traces/capture/meta.js';
import { readFtrace } from '../../../traces/ftrace/read.js';
import { workloadFromCapture, type ConvertedWorkload } from '../../../traces/workload/fromCapture.js';
import { formatWorkload, parseWorkload } from '../../../traces/workload/schema.js';
import type { Workload, WorkloadFunction } from '../../../traces/workload/workload.js';
import { captures } from '../../shared.js';

const CHUNK = 64;
const chunkBytes = (image: number): number => Math.ceil((image + 8 + 16) / CHUNK) * CHUNK;

const opened = (folder: string): Capture => {
  const capture = openCapture(folder);
  if (!capture.ok) throw new Error(JSON.stringify(capture.error));
  return capture.value;
};
const converted = async (folder: string): Promise<ConvertedWorkload> => {
  const workload = await workloadFromCapture(opened(folder));
  if (!workload.ok) throw new Error(JSON.stringify(workload.error));
  return workload.value;
};

interface Pack {
  readonly start: Address;
  readonly taken: boolean[];
}

/** bpf_prog_pack_alloc as a sketch: lowest chunks of the first pack with room; a new pack lies where the recording says. */
class FirstFit {
  readonly packs: Pack[] = [];
  constructor(readonly packBytes: number) {}

  add(start: Address, taken: readonly { offset: number; bytes: number }[]): void {
    const pack = { start, taken: Array<boolean>(this.packBytes / CHUNK).fill(false) };
    for (const { offset, bytes } of taken) pack.taken.fill(true, offset / CHUNK, (offset + bytes) / CHUNK);
    this.packs.push(pack);
  }

  /** The chunk's address, or null when a new pack (or an area of its own) is needed. */
  alloc(bytes: number): Address | null {
    const need = bytes / CHUNK;
    for (const { start, taken } of this.packs) {
      for (let i = 0, run = 0; i < taken.length; i++) {
        run = taken[i] === true ? 0 : run + 1;
        if (run < need) continue;
        taken.fill(true, i + 1 - need, i + 1);
        return Address.add(start, (i + 1 - need) * CHUNK);
      }
    }
    return null;
  }

  free(chunk: Address, bytes: number): void {
    const at = this.packs.findIndex(({ start }) => {
      const offset = Address.minus(chunk, start);
      return offset >= 0 && offset < this.packBytes;
    });
    const pack = this.packs[at];
    if (pack === undefined) return;
    const first = Address.minus(chunk, pack.start) / CHUNK;
    pack.taken.fill(false, first, first + bytes / CHUNK);
    if (!pack.taken.includes(true)) this.packs.splice(at, 1);
  }
}

/** Runs the workload against first fit; gives how many chunks lay where the kernel put them, and those that did not. */
const replay = (workload: Workload, packBytes: number): { same: number; other: string[] } => {
  const fit = new FirstFit(packBytes);
  for (const pack of workload.boot?.packs ?? [])
    fit.add(Address.parse(pack.start) as Address, pack.chunks ?? []);
  const functions = new Map<string, readonly WorkloadFunction[]>();
  const free = (program: string, index: number | undefined): void => {
    for (const [i, f] of (functions.get(program) ?? []).entries()) {
      const chunk = Address.parse(f.recorded?.chunk ?? '');
      if (chunk !== null && (index === undefined || index === i)) fit.free(chunk, chunkBytes(f.image));
    }
  };
  let same = 0;
  const other: string[] = [];
  for (const op of workload.operations) {
    if (op.op === 'free') free(op.program, op.function);
    if (op.op === 'attach_xdp' && workload.origin?.kernel.startsWith('5.') === false) fit.alloc(4096);
    if (op.op !== 'load' && op.op !== 'attach_classic') continue;
    functions.set(op.program, op.functions);
    for (const [i, f] of op.functions.entries()) {
      if (op.op === 'load') {
        for (const during of op.during) if (during.after === i) free(during.program, during.function);
      }
      const bytes = chunkBytes(f.image);
      const chunk = Address.parse(f.recorded?.chunk ?? '');
      if (chunk === null || bytes > packBytes) continue;
      const found = fit.alloc(bytes);
      if (found === null) fit.add(chunk, [{ offset: 0, bytes }]);
      else if (Address.equals(found, chunk)) same++;
      else other.push(`${op.program}.${i}: ${Address.toText(found)} instead of ${Address.toText(chunk)}`);
    }
  }
  return { same, other };
};

/** Functions in the order in which they were freed, as [when their program was let go, function]. */
const freesByRelease = (workload: Workload): (readonly [released: number, index: number])[] => {
  const holders = new Map<string, string>();
  const released = new Map<string, number>();
  const release = (program: string | undefined): void => {
    if (program !== undefined) released.set(program, released.size);
  };
  const frees: (readonly [number, number])[] = [];
  const free = (program: string, index: number | undefined): void => {
    frees.push([released.get(program) ?? Number.NaN, index ?? 0]);
  };
  for (const op of workload.operations) {
    if (op.op === 'load') for (const during of op.during) free(during.program, during.function);
    if (op.op === 'load' || op.op === 'attach_classic') {
      const holder = op.op === 'load' ? `slot ${op.slot}` : `socket ${op.socket}`;
      if (op.recorded?.errno !== 0) release(op.program);
      else {
        release(holders.get(holder));
        holders.set(holder, op.program);
      }
    } else if (op.op === 'close' || op.op === 'detach_classic') {
      const holder = op.op === 'close' ? `slot ${op.slot}` : `socket ${op.socket}`;
      release(holders.get(holder));
      holders.delete(holder);
    } else if (op.op === 'free') free(op.program, op.function);
  }
  return frees;
};

/** Kernels with packs, and the size of one. */
const packBytes = (folder: string): number | null => {
  if (/^(?:x86_64-5\.10|arm64-6\.1|ppc64le-6\.1|s390x-.*)-S/.test(folder)) return null;
  return /5\.18-rc5-S|5\.18-rc5-packv2-S/.test(folder) ? 4096 : 2 << 20;
};

describe('workloads of the shared captures', function () {
  this.timeout(60_000);
  const folders = captures();
  before(function () {
    if (folders.length === 0) this.skip();
  });
  if (folders.length === 0) it('are not here');

  for (const folder of folders) {
    const name = basename(folder);
    if (name.startsWith('riscv64')) {
      it(`${name}: is refused, its trace holds no arguments`, async () => {
        const workload = await workloadFromCapture(opened(folder));
        expect(workload.ok ? 'converted' : workload.error.code).to.equal('no-arguments');
      });
      continue;
    }

    describe(name, () => {
      it('hold every operation and phase, in order', async () => {
        const { meta } = opened(folder);
        const { workload, notes } = await converted(folder);
        expect(notes).to.deep.equal([]);
        const marks = workload.operations.flatMap((op) => {
          if (op.op === 'marker') return [op.text];
          return op.mark === undefined ? [] : [op.mark.replace(/^(op \d+): .*/, '$1')];
        });
        expect(marks).to.deep.equal(
          meta.operations.map((o) => (isPhaseMark(o) ? `phase: ${o.name}` : `op ${o.op}`)),
        );
      });

      it('load what the operations say, with the lengths the kernel reported', async () => {
        const { meta } = opened(folder);
        const { workload } = await converted(folder);
        const loads = workload.operations.filter((op) => op.op === 'load');
        const asked = meta.operations.flatMap((o) => (!isPhaseMark(o) && o.what === 'load' ? [o] : []));
        expect(loads.length).to.equal(asked.length);
        for (const [i, load] of loads.entries()) {
          const { funcs, errno, privileged, name: program } = asked[i] as (typeof asked)[number];
          expect(load.program).to.equal(program);
          expect(load.capable).to.equal(privileged ?? true);
          expect(load.fails === 'verifier').to.equal(errno === 13);
          if (funcs === undefined || load.functions.length === 0) continue;
          expect(load.functions.map((f) => f.code)).to.deep.equal(funcs.map((f) => f.len));
          for (const [j, f] of load.functions.entries()) {
            const chunk = Address.parse(f.recorded?.chunk ?? '');
            if (chunk === null) throw new Error(`${program}.${j}: no chunk`);
            expect(Address.toText(Address.add(chunk, f.offset ?? 0))).to.equal(
              Address.toText(Address.parse(funcs[j]?.addr ?? '') ?? Address.zero),
            );
          }
        }
      });

      it('free what the trace frees', async () => {
        const { workload } = await converted(folder);
        let withImage = 0;
        let without = 0;
        await readFtrace(opened(folder).tracePath, (line) => {
          if (line.kind !== 'call' || line.isReturn || line.fn !== 'bpf_jit_free') return;
          const i = line.signature.names.indexOf('jited_len');
          if ((line.lo[i] ?? 0) > 0) withImage++;
          else without++;
        });
        const frees = workload.operations.filter((op) => op.op === 'free');
        const during = workload.operations.flatMap((op) => (op.op === 'load' ? op.during : []));
        expect(frees.filter((op) => op.function !== undefined).length + during.length).to.equal(withImage);
        expect(frees.filter((op) => op.function === undefined).length).to.equal(without);
        if (name === 'x86_64-6.1-S5-churn') expect(during.length).to.equal(7);
      });

      it('free in the order in which programs were let go, functions upwards', async () => {
        const { workload } = await converted(folder);
        const frees = freesByRelease(workload);
        const sorted = [...frees].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(frees).to.deep.equal(sorted);
        expect(frees.some(([released]) => Number.isNaN(released))).to.equal(false);
      });

      it('come back from their text', async () => {
        const { workload } = await converted(folder);
        expect(parseWorkload(formatWorkload(workload), 'f')).to.deep.equal({ ok: true, value: workload });
      });

      const size = packBytes(name);
      if (size === null) return;
      it('give first fit every address of the recording', async () => {
        const { workload } = await converted(folder);
        const { same, other } = replay(workload, size);
        expect(other).to.deep.equal([]);
        if (!/rc5-S8/.test(name)) expect(same).to.be.greaterThan(3);
      });
    });
  }

  it('know the charge at boot: the limit refuses exactly the loads it refused (6.1 S6)', async function () {
    const folder = folders.find((f) => f.endsWith('x86_64-6.1-S6-jit-limit'));
    if (folder === undefined) this.skip();
    const { workload } = await converted(folder);
    let charged = workload.boot?.jit_charged ?? Number.NaN;
    let limit = workload.boot?.jit_limit ?? Number.NaN;
    const images = new Map<string, readonly WorkloadFunction[]>();
    const refusals: string[] = [];
    const recorded: string[] = [];
    for (const op of workload.operations) {
      if (op.op === 'set_jit_limit') limit = op.bytes;
      if (op.op === 'free' && op.function !== undefined) {
        charged -= chunkBytes(images.get(op.program)?.[op.function]?.image ?? 0);
      }
      if (op.op !== 'load' && op.op !== 'attach_classic') continue;
      images.set(op.program, op.functions);
      for (const { image, code } of op.functions) {
        if (code === undefined) recorded.push(op.program);
        if (!op.capable && charged + chunkBytes(image) > limit) refusals.push(op.program);
        else charged += chunkBytes(image);
      }
    }
    expect(refusals.length).to.equal(29);
    expect(refusals).to.deep.equal(recorded);
    expect(charged).to.equal(workload.boot?.jit_charged);
  });

  it('know where tail calls are (S3)', async () => {
    for (const folder of folders.filter((f) => /x86_64-.*-S3-/.test(f))) {
      const { workload } = await converted(folder);
      const calls = workload.operations.flatMap((op) =>
        op.op === 'load'
          ? op.functions.flatMap((f) => f.tail_calls.map((t) => ({ program: op.program, ...t })))
          : [],
      );
      expect(calls).to.deep.equal([{ program: 'p11_34', key: 1, jump: 53, bypass: 47 }]);
    }
  });
});
