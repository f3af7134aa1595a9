/** An arm64 oops (arch/arm64/mm/fault.c die_kernel_fault, show_pte, mem_abort_decode; kernel/traps.c die). */
import { arm64Syndrome } from '../../core/oops/arm64.js';
import { LEVELS, type Granule, type Level, type LevelEntry, type Oops } from '../../core/oops/oops.js';
import { codePlace } from './code.js';
import { callTraceOf, circumstanceOf, codeBytesOf, firstMatch, modulesOf } from './common.js';
import type { ConsoleLine } from './console.js';

const ABORT = /^Unable to handle kernel (.*?) at virtual address ([0-9a-f]{1,16})/;
const DIE = /^Internal error: (.*?)(?:: ([0-9a-f]{8,16}))? \[#\d+\]/;

/** First lines; an abort is followed by the `Internal error` of the same oops. */
export const isArm64Headline = (text: string): boolean =>
  ABORT.test(text) ||
  /^Internal error: (?:Oops|BRK handler)/.test(text) ||
  text.startsWith('Unexpected kernel BRK exception');

const ESR = /^\s*ESR = 0x([0-9a-f]+)/;
const PGTABLE = /^\w+ pgtable: (4|16|64)k pages, (3[6-9]|4\d|5[0-2])-bit VAs/;
const WALK = /^\[[0-9a-f]{16}\] pgd=/;
const ENTRY = /\b(pgd|p4d|pud|pmd|pte)=([0-9a-f]{1,16})\b/g;
const REGISTER = /\b(x\d{1,2}|sp) ?: ?([0-9a-f]{16})\b/g;
const PC = /^pc : (.*)$/;
const LR = /^lr : (.*)$/;

const entriesOf = (lines: readonly ConsoleLine[]): readonly LevelEntry[] => {
  const found = new Map<Level, bigint>();
  const walk = lines.find(({ text }) => WALK.test(text));
  for (const [, level = '', raw = ''] of (walk?.text ?? '').matchAll(ENTRY))
    found.set(level as Level, BigInt(`0x${raw}`));
  return LEVELS.flatMap((level) => (found.has(level) ? [{ level, raw: found.get(level) ?? null }] : []));
};

const granuleOf = (lines: readonly ConsoleLine[]): Granule => {
  const found = firstMatch(lines, PGTABLE)?.found;
  return found === undefined
    ? { shift: 12, addressBits: 48 }
    : { shift: Math.log2(Number(found[1]) * 1024), addressBits: Number(found[2]) };
};

/** Reads an oops from its lines, the first of which is its headline. */
export const arm64Oops = (lines: readonly ConsoleLine[]): Oops => {
  const first = lines[0] as ConsoleLine;
  const abort = ABORT.exec(first.text);
  const die = firstMatch(lines, DIE);
  const esr = firstMatch(lines, ESR)?.found[1] ?? die?.found[2] ?? null;
  const code = esr === null ? null : BigInt(`0x${esr}`);
  const syndrome = code === null ? null : arm64Syndrome(code);
  const pc = codePlace(firstMatch(lines, PC)?.found[1] ?? '');
  const lr = codePlace(firstMatch(lines, LR)?.found[1] ?? '');
  const registers: Record<string, bigint> = {};
  for (const { text } of lines)
    for (const [, name = '', value = ''] of text.matchAll(REGISTER))
      if (!Object.hasOwn(registers, name)) registers[name] = BigInt(`0x${value}`);
  const kind = syndrome?.kind ?? (abort === null ? 'bug' : 'page-fault');
  const executes = kind === 'trap' || kind === 'invalid-instruction';
  return {
    arch: 'arm64',
    kind,
    line: first.line,
    time: first.time ?? lines.find(({ time }) => time !== null)?.time ?? null,
    headline: first.text.trim(),
    address: abort === null ? (executes ? (pc?.address ?? null) : null) : BigInt(`0x${abort[2]}`),
    access: syndrome?.access ?? null,
    present: executes ? true : (syndrome?.present ?? null),
    code,
    reason: syndrome?.words.join(', ') ?? null,
    entries: entriesOf(lines),
    granule: granuleOf(lines),
    pc,
    lr,
    registers,
    trace: callTraceOf(lines),
    modules: modulesOf(lines),
    code_bytes: codeBytesOf(lines),
    ...circumstanceOf(lines),
    raw: lines.map(({ raw }) => raw),
  };
};
