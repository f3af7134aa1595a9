import { basename } from 'node:path';
import { crc32 } from 'node:zlib';

import { expect } from 'chai';

import { Address, PAGE_SIZE } from '../../../core/value/address.js';
import { openCapture, type Capture } from '../../../traces/capture/capture.js';
import type { Dump, PhaseRef } from '../../../traces/capture/dump.js';
import { isPhaseMark } from '../../../traces/capture/meta.js';
import type { MemoryBytes } from '../../../traces/capture/packHex.js';
import type { DumpedRange } from '../../../traces/capture/pagetable.js';
import { rangeBytes, type AddressRange } from '../../../traces/capture/range.js';
import { captures } from '../../shared.js';

const opened = (folder: string): Capture => {
  const capture = openCapture(folder);
  if (!capture.ok) throw new Error(JSON.stringify(capture.error));
  return capture.value;
};

const dumped = (capture: Capture, phase: PhaseRef): Dump => {
  const dump = capture.dump(phase);
  if (!dump.ok) throw new Error(JSON.stringify(dump.error));
  return dump.value;
};

/** CRC-32 of A followed by B, from theirs. */
const joinCrc = (a: number, b: number, lengthOfB: number): number => {
  const zeros = new Uint8Array(lengthOfB);
  return (crc32(zeros, a) ^ crc32(zeros, 0) ^ b) >>> 0;
};

/** CRC-32 of a range, part of which may have been left out of the dump with its checksum; null where a byte is unknown. */
const crcOf = (bytes: MemoryBytes, start: Address, length: number): number | null => {
  const end = Address.add(start, length);
  let crc = 0;
  for (let at = start; Address.compare(at, end) < 0;) {
    const here = at;
    const omitted = bytes.omitted.find((run) => Address.equals(run.start, here));
    if (omitted !== undefined) {
      if (Address.compare(omitted.end, end) > 0) return null;
      crc = joinCrc(crc, omitted.crc32, rangeBytes(omitted));
      at = omitted.end;
      continue;
    }
    const stops = bytes.omitted.filter((run) => Address.compare(run.start, here) > 0).map((run) => run.start);
    const to = [end, ...stops].reduce((a, b) => (Address.compare(a, b) < 0 ? a : b));
    const piece = bytes.read(at, Address.minus(to, at));
    if (piece === null) return null;
    crc = crc32(piece, crc);
    at = to;
  }
  return crc;
};

/** Functions of the programs that are loaded at a phase (the recorder waits for deferred frees before it). */
const liveFunctions = (capture: Capture, phase: PhaseRef): { addr: string; len: number; crc32: string }[] => {
  const slots = new Map<number, { addr: string; len: number; crc32: string }[]>();
  for (const entry of capture.meta.operations) {
    if (isPhaseMark(entry)) {
      if (entry.phase === phase.index) break;
    } else if (entry.what === 'load' && entry.errno === 0) slots.set(entry.slot, entry.funcs ?? []);
    else if (entry.what === 'close') slots.delete(entry.slot);
  }
  return [...slots.values()].flat();
};

/** One line a leaf, as `info tlb` would print what the walk found. */
const asTlb = (ranges: readonly DumpedRange[]): Set<string> => {
  const leaves = new Set<string>();
  for (const range of ranges) {
    if (range.phys === null) continue;
    const pages = range.leaf / PAGE_SIZE;
    for (
      let page: number = range.start.page, frame: number = range.phys;
      page < range.end.page;
      page += pages
    ) {
      const nx = range.executable ? '-' : 'X';
      const large = range.leaf > PAGE_SIZE ? 'P' : '-';
      const dirty = range.dirty ? 'D' : '-';
      const accessed = range.accessed ? 'A' : '-';
      leaves.add(`${page}:${frame} ${nx}${large}${dirty}${accessed}${range.writable ? 'W' : '-'}`);
      frame += pages;
    }
  }
  return leaves;
};

const bytesOf = (
  ranges: readonly (AddressRange & { readonly writable: boolean })[],
  writable: boolean,
): number => ranges.reduce((sum, range) => sum + (range.writable === writable ? rangeBytes(range) : 0), 0);

/** Is every byte from `start` to `end` dumped, or left out with a checksum? */
const covered = (bytes: MemoryBytes, start: Address, end: Address): boolean =>
  bytes.areas.some(
    (area) => Address.compare(area.start, start) <= 0 && Address.compare(end, area.end) <= 0,
  ) &&
  !bytes.notDumped.some((gap) => Address.compare(gap.start, end) < 0 && Address.compare(start, gap.end) < 0);

describe('the shared captures', function () {
  this.timeout(60_000);
  const folders = captures();
  before(function () {
    if (folders.length === 0) this.skip();
  });
  if (folders.length === 0) it('are not here');

  for (const folder of folders) {
    describe(basename(folder), () => {
      it('are read to the last line of every file', () => {
        const capture = opened(folder);
        expect(capture.problems).to.deep.equal([]);
        expect(capture.phases.length).to.be.greaterThan(3);
        expect(capture.meta.machine.page_size % PAGE_SIZE).to.equal(0);
        for (const phase of capture.phases) {
          const dump = dumped(capture, phase);
          void dump.bytes;
          void dump.tlb;
          void dump.infoMem;
          expect(dump.problems, phase.name).to.deep.equal([]);
          expect(
            dump.absent.filter((file) => file !== 'pack.hex'),
            phase.name,
          ).to.deep.equal([]);
        }
      });

      it('have bytes for all of each area but its guard page', () => {
        const capture = opened(folder);
        for (const phase of capture.phases) {
          const { bytes, areas, executableArea } = dumped(capture, phase);
          if (bytes === null) continue;
          for (const gap of bytes.notDumped) {
            expect(rangeBytes(gap), phase.name).to.equal(capture.meta.machine.page_size);
            expect(
              executableArea.some(
                (r) => Address.compare(r.start, gap.end) < 0 && Address.compare(gap.start, r.end) < 0,
              ),
            ).to.equal(false);
          }
          for (const area of bytes.areas) {
            expect(
              areas.some((a) => Address.equals(a.start, area.start) && Address.equals(a.end, area.end)),
            ).to.equal(true);
          }
          for (const range of executableArea) {
            if (range.executable) expect(covered(bytes, range.start, range.end), range.flags).to.equal(true);
          }
        }
      });

      it('hold the code that the kernel reported, by checksum', () => {
        const capture = opened(folder);
        const patched = capture.meta.operations.some(
          (o) => !isPhaseMark(o) && o.what === 'prog_array_update',
        );
        let checked = 0;
        let unknown = 0;
        for (const phase of capture.phases) {
          const { bytes } = dumped(capture, phase);
          if (bytes === null) continue;
          for (const code of liveFunctions(capture, phase)) {
            const start = Address.parse(code.addr);
            if (start === null) throw new Error(code.addr);
            const crc = crcOf(bytes, start, code.len);
            if (crc === null) unknown++;
            else if (crc.toString(16).padStart(8, '0') === code.crc32) checked++;
            else if (!patched) expect.fail(`${phase.name} ${code.addr}: other bytes`);
          }
        }
        if (capture.meta.arch !== 's390x') expect(checked).to.be.greaterThan(0);
        // A run left out may begin in one function and end in another: five functions of the churn.
        expect(unknown).to.be.at.most(capture.meta.scenario === 'S5-churn' ? 5 : 0);
      });

      it('have a direct map at a constant distance from its frames (x86)', function () {
        const capture = opened(folder);
        if (capture.meta.arch !== 'x86_64') this.skip();
        const bases = new Set<number>();
        for (const phase of capture.phases) {
          const { directMap, formerDirectMap, notPresent } = dumped(capture, phase);
          for (const range of [...directMap, ...formerDirectMap, ...notPresent]) {
            if (range.phys !== null) bases.add(range.start.page - range.phys);
          }
        }
        expect([...bases]).to.deep.equal([Address.parse('ffff888000000000')?.page]);
      });

      it('say in info tlb what the walk says (x86)', function () {
        const capture = opened(folder);
        if (capture.meta.arch !== 'x86_64') this.skip();
        for (const phase of capture.phases) {
          const { tlb, infoMem, executableArea, directMap } = dumped(capture, phase);
          if (tlb === null || infoMem === null) throw new Error(`${phase.name}: no tlb.txt or mem.txt`);
          const walked = asTlb([...executableArea, ...directMap].filter((r) => r.present));
          const seen = new Set(
            tlb.map(
              (l) => `${l.page}:${l.phys} ${l.flags[0]}${l.flags[2]}${l.flags[3]}${l.flags[4]}${l.flags[8]}`,
            ),
          );
          expect(
            [...walked].filter((l) => !seen.has(l)),
            `${phase.name}: only walked`,
          ).to.deep.equal([]);
          expect(
            [...seen].filter((l) => !walked.has(l)),
            `${phase.name}: only in info tlb`,
          ).to.deep.equal([]);
          for (const writable of [false, true]) {
            expect(bytesOf(infoMem, writable), `${phase.name}: info mem`).to.equal(
              bytesOf(executableArea, writable),
            );
          }
        }
      });
    });
  }
});
