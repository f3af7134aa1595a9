import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CallLine, TraceLine } from '../traces/ftrace/line.js';
import { FtraceReader } from '../traces/ftrace/reader.js';
import { render, renderHeader } from '../traces/ftrace/render.js';
import { SignatureTable } from '../traces/ftrace/signature.js';
import { PlainSplitter } from './split.js';

export interface ParseFigures {
  readonly bytes: number;
  readonly lines: number;
  /** The reader: every line to an object, all values exact. MB/s, the best of the rounds. */
  readonly reader: number;
  /** `split('\n')`, one regular expression a line, values by splitting at spaces and `=`, kept as text. MB/s, likewise. */
  readonly baseline: number;
  readonly ratio: number;
}

const CHUNK = 1 << 20;

/** Reads the same text in turns with the reader and with a bare regular expression. */
export function benchParse(data: Uint8Array, rounds = 5): ParseFigures {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let lines = 0;
  let reader = Infinity;
  let baseline = Infinity;
  for (let round = 0; round < rounds; round++) {
    reader = Math.min(
      reader,
      seconds(() => (lines = readAll(bytes))),
    );
    baseline = Math.min(
      baseline,
      seconds(() => readBaseline(bytes)),
    );
  }
  const speed = (time: number): number => Math.round(bytes.length / time / 1e6);
  return {
    bytes: bytes.length,
    lines,
    reader: speed(reader),
    baseline: speed(baseline),
    ratio: Math.round((100 * baseline) / reader) / 100,
  };
}

function seconds(work: () => unknown): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Reads all, looks at each object; the number of lines. */
function readAll(bytes: Buffer): number {
  let sum = 0;
  const reader = new FtraceReader((line) => {
    if (line.kind === 'call') sum ^= line.lo[0] ?? 0;
  });
  for (let at = 0; at < bytes.length; at += CHUNK) reader.push(bytes.subarray(at, at + CHUNK));
  reader.end();
  if (Number.isNaN(sum)) throw new Error('a value is no number');
  return reader.counts.lines;
}

/** The plain way, in chunks as well; the number of fields. */
function readBaseline(bytes: Buffer): number {
  const splitter = new PlainSplitter();
  for (let at = 0; at < bytes.length; at += CHUNK) splitter.push(bytes.subarray(at, at + CHUNK));
  return splitter.fields;
}

type Field = readonly [name: string, hi: number, lo: number];

/** A trace of at least `size` bytes: the calls of one program's load and free on 6.1, over and over with other addresses. */
export function syntheticTrace(size: number): Buffer {
  const parts = [renderHeader(0, 2)];
  let length = parts[0]?.length ?? 0;
  for (let i = 0; length < size; i++) {
    for (const line of loadAndFree(i)) {
      const text = `${render(line)}\n`;
      parts.push(text);
      length += text.length;
    }
  }
  return Buffer.from(parts.join(''));
}

const signatures = new SignatureTable();
const TEXT = 0xffffffff;
const DIRECT_MAP = 0xffff8880;

function loadAndFree(i: number): readonly TraceLine[] {
  const time = i * 400_000;
  const chunk = 0xc0000000 + ((i * 64) % 0x200000);
  const size = 64 * (1 + (i % 8));
  const entry = (step: number, fn: string, ...fields: readonly Field[]): CallLine =>
    call(time + step * 10_000, fn, `${fn}+0x0/0x1d0`, '', fields);
  const exit = (step: number, fn: string, caller: string, ...fields: readonly Field[]): CallLine =>
    call(time + step * 10_000, fn, `${caller}+0x5d/0x150`, fn, fields);
  return [
    { kind: 'marker', line: 0, task: 'workload', pid: 85, cpu: 0, time, text: `op ${i}: load insns=16` },
    entry(1, 'bpf_jit_binary_pack_alloc', ['proglen', 0, size - 16], ['image_ptr', 0xffffc900, 0x3e3bc0]),
    entry(2, 'bpf_jit_charge_modmem', ['size', 0, size]),
    exit(3, 'bpf_jit_charge_modmem', 'bpf_jit_binary_pack_alloc', ['ret', 0, 0]),
    entry(4, 'bpf_prog_pack_alloc', ['size', 0, size], ['bpf_fill_ill_insns', TEXT, 0x8108be90]),
    exit(5, 'bpf_prog_pack_alloc', 'bpf_jit_binary_pack_alloc', ['ret', TEXT, chunk]),
    exit(6, 'bpf_jit_binary_pack_alloc', 'bpf_int_jit_compile', ['ret', TEXT, chunk]),
    entry(7, 'bpf_arch_text_copy', ['dst', TEXT, chunk], ['src', DIRECT_MAP, chunk], ['len', 0, size]),
    entry(8, '__text_poke', ['func', TEXT, 0x81038140], ['addr', TEXT, chunk], ['len', 0, size]),
    exit(9, '__text_poke', 'text_poke_copy', ['ret', TEXT, chunk]),
    exit(10, 'bpf_arch_text_copy', 'bpf_jit_binary_pack_finalize', ['ret', TEXT, chunk]),
    entry(20, 'bpf_prog_pack_free', ['hdr', TEXT, chunk], ['hdr_size', 0, size]),
    entry(21, 'bpf_arch_text_invalidate', ['dst', TEXT, chunk], ['len', 0, size]),
    exit(22, 'bpf_arch_text_invalidate', 'bpf_prog_pack_free', ['ret', 0, 0]),
    exit(23, 'bpf_prog_pack_free', 'bpf_jit_binary_pack_free'),
  ];
}

function call(time: number, fn: string, place: string, callee: string, fields: readonly Field[]): CallLine {
  const isReturn = callee !== '';
  const signature = signatures.of(
    fields.map(([name]) => name),
    fields.map(([, hi]) => (hi === 0 ? 'decimal' : 'hex')),
  );
  if (signature === null) throw new Error('too many signatures');
  return {
    kind: 'call',
    line: 0,
    task: 'workload',
    pid: 85,
    cpu: 0,
    flags: '.....',
    time,
    event: isReturn ? `${fn}_ret` : fn,
    fn,
    isReturn,
    place,
    callee,
    signature,
    hi: fields.map(([, hi]) => hi),
    lo: fields.map(([, , lo]) => lo),
    texts: null,
  };
}

/** `node dist/bench/parse.js [FILE]`: the figures of a trace (plain text), or of a synthetic one of 64 MB. */
async function main(path: string | undefined): Promise<void> {
  const data = path === undefined ? syntheticTrace(64e6) : await readWhole(path);
  const figures = benchParse(data);
  process.stdout.write(`${JSON.stringify({ input: path ?? 'synthetic', ...figures })}\n`);
}

async function readWhole(path: string): Promise<Uint8Array> {
  const { readSource } = await import('../traces/ftrace/source.js');
  const parts: Uint8Array[] = [];
  for await (const part of readSource(path)) {
    if (!part.ok) throw new Error(`${path}: ${part.error.what}`);
    parts.push(Buffer.from(part.value));
  }
  return Buffer.concat(parts);
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  await main(process.argv[2]);
}
