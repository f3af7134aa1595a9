/** An x86-64 oops (arch/x86/mm/fault.c show_fault_oops, arch/x86/kernel/dumpstack.c, process_64.c), 4.x to 7.x. */
import { LEVELS, type FaultKind, type Level, type LevelEntry, type Oops } from '../../core/oops/oops.js';
import { x86Error } from '../../core/oops/x86.js';
import { codePlace } from './code.js';
import { callTraceOf, circumstanceOf, codeBytesOf, firstMatch, modulesOf } from './common.js';
import type { ConsoleLine } from './console.js';

const NX_NOTE = /^kernel tried to execute NX-protected page|^unable to execute userspace code/;

/** First lines, and what each is. The NX note comes before its page fault. */
const HEADLINES: readonly (readonly [RegExp, FaultKind])[] = [
  [NX_NOTE, 'page-fault'],
  [
    /^BUG: unable to handle (?:page fault for address|kernel paging request at|kernel NULL pointer)/,
    'page-fault',
  ],
  [/^BUG: kernel NULL pointer dereference, address/, 'page-fault'],
  [/^(?:Oops: )?general protection( fault)?(?:,|:| maybe)/, 'general-protection'],
  [/^(?:Oops: )?int3: [0-9a-f]{4}/, 'trap'],
  [/^kernel BUG at /, 'bug'],
  [/^(?:Oops: )?invalid opcode: [0-9a-f]{4}/, 'invalid-instruction'],
];

export const x86Headline = (text: string): FaultKind | null =>
  HEADLINES.find(([pattern]) => pattern.test(text))?.[1] ?? null;

const ADDRESS =
  /^BUG: (?:unable to handle (?:page fault for address:|kernel paging request at|kernel NULL pointer dereference at)|kernel NULL pointer dereference, address:) ?([0-9a-f]{8,16})/;
const FAULTY = /probably for non-canonical address 0x([0-9a-f]+)/;
const ERROR_CODE = /#PF: error_code\(0x([0-9a-f]+)\) - (.*)$/;
const OOPS_CODE = /^(?:Oops: ){1,2}([0-9a-f]{4})\b/;
const ENTRY = /\b(PGD|P4D|PUD|PMD|PTE) ([0-9a-f]+|BAD)\b/g;
const WALK = /^(?:IP:.*)?\s*(?:PGD|P4D|PUD|PMD|PTE) (?:[0-9a-f]+|BAD)/;
const RIP = /^(?:RIP: [0-9a-f]{4}:|IP: )(.*)$/;
const REGISTER = /\b(R[A-DS][XIP]|R\d\d|R[BS]P|[CD]R\d): (?:[0-9a-f]{4}:)?([0-9a-f]{8,16})\b/g;

const entriesOf = (lines: readonly ConsoleLine[]): readonly LevelEntry[] => {
  const found = new Map<Level, bigint | null>();
  for (const { text } of lines) {
    if (OOPS_CODE.test(text)) break;
    if (!WALK.test(text)) continue;
    for (const [, name = '', raw = ''] of text.matchAll(ENTRY)) {
      const level = name.toLowerCase() as Level;
      if (!found.has(level)) found.set(level, raw === 'BAD' ? null : BigInt(`0x${raw}`));
    }
  }
  return LEVELS.flatMap((level) => (found.has(level) ? [{ level, raw: found.get(level) ?? null }] : []));
};

const registersOf = (lines: readonly ConsoleLine[]): Readonly<Record<string, bigint>> => {
  const registers: Record<string, bigint> = {};
  for (const { text } of lines)
    for (const [, name = '', value = ''] of text.matchAll(REGISTER))
      if (!Object.hasOwn(registers, name)) registers[name] = BigInt(`0x${value}`);
  return registers;
};

const X86_GRANULE = { shift: 12, addressBits: 48 } as const;
const INT3_LENGTH = 1n;

/** Reads an oops from its lines, the first of which is its headline. */
export const x86Oops = (lines: readonly ConsoleLine[]): Oops => {
  const first = lines[0] as ConsoleLine;
  const kind = x86Headline(first.text) ?? 'page-fault';
  const head = kind === 'page-fault' ? (firstMatch(lines, ADDRESS)?.line ?? first) : first;
  const registers = registersOf(lines);
  const rip = firstMatch(lines, RIP);
  const pc = rip === null ? null : codePlace(rip.found[1] as string);
  const printed = firstMatch(lines, ERROR_CODE);
  const codeText = printed?.found[1] ?? firstMatch(lines, OOPS_CODE)?.found[1] ?? null;
  const code = codeText === null || kind !== 'page-fault' ? null : BigInt(`0x${codeText}`);
  const error = code === null ? null : x86Error(code);
  const at =
    firstMatch(lines, ADDRESS)?.found[1] ?? (kind === 'page-fault' ? null : FAULTY.exec(first.text)?.[1]);
  const told = at === null || at === undefined ? null : BigInt(`0x${at}`);
  // int3 has run when it traps: the instruction lies one byte before.
  const trapped = kind === 'trap' && pc !== null && pc.address !== null ? pc.address - INT3_LENGTH : null;
  return {
    arch: 'x86_64',
    kind,
    line: first.line,
    time: first.time ?? lines.find(({ time }) => time !== null)?.time ?? null,
    headline: head.text.trim(),
    address: told ?? (kind === 'page-fault' ? (registers['CR2'] ?? null) : trapped),
    access: error?.access ?? (kind === 'trap' || kind === 'invalid-instruction' ? 'execute' : null),
    present: error?.present ?? (kind === 'trap' || kind === 'invalid-instruction' ? true : null),
    code,
    reason: printed?.found[2]?.trim() ?? error?.words.join(', ') ?? null,
    entries: entriesOf(lines),
    granule: X86_GRANULE,
    pc,
    lr: null,
    registers,
    trace: callTraceOf(lines),
    modules: modulesOf(lines),
    code_bytes: codeBytesOf(lines),
    ...circumstanceOf(lines),
    raw: lines.map(({ raw }) => raw),
  };
};
