/** What an expression says of memory at a moment. Unknown stays unknown. */
import { BLOCK, CONTENT_CLASSES, PageContent } from '../../core/memory/content.js';
import { CHUNK } from '../../core/memory/evolvePacks.js';
import { Memory, type Program } from '../../core/memory/memory.js';
import { NODE_PAGES, PageTable, type PageEntry } from '../../core/memory/pageTable.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import type { Binary, Expression, Total } from './expression.js';
import type { Value } from './value.js';

/** A program that an expression names. */
export interface NamedProgram {
  readonly number: number;
  readonly from: number;
  readonly to: number | null;
  /** Pages of its memory. */
  readonly first: number;
  readonly end: number;
}

/** What an expression means in one trace, found before it is asked at moments. */
export interface Surroundings {
  /** Everything there was before the first event is known: what is not in memory does not exist. */
  readonly complete: boolean;
  readonly programs: ReadonlyMap<string, NamedProgram>;
  /** Event that first breaks a rule; null: none does. `unknown`: whether the rule could not be judged everywhere. */
  readonly rules: ReadonlyMap<string, { readonly broken: number | null; readonly unknown: boolean }>;
}

const SMALL = 12;
const BITS_A_LEVEL = 9;

/** Level of a leaf as the kernel counts them: 1 for 4K, 2 for 2M, 3 for 1G; null: not known. */
const levelOf = (shift: number): Value =>
  shift <= 1 ? null : BigInt(Math.floor((shift - SMALL) / BITS_A_LEVEL) + 1);

const BITS = { r: Prot.present, w: Prot.writable, x: Prot.executable } as const;

const permission = ({ prot }: PageEntry, bit: keyof typeof BITS): Value => {
  if (bit !== 'r') {
    const present = permission({ prot } as PageEntry, 'r');
    if (present === false) return false;
    if (present === null && !Prot.isUnknown(prot, BITS[bit]) && !Prot.has(prot, BITS[bit])) return false;
    if (present === null) return null;
  }
  return Prot.isUnknown(prot, BITS[bit]) ? null : Prot.has(prot, BITS[bit]);
};

/** Whether nothing is known of a page because it was forgotten. */
const isForgotten = (memory: Memory, page: number): boolean =>
  memory.unknown.some((range) => page >= range.page && page < range.page + range.pages);

/** Whether what is not in memory does not exist. */
const isAll = (memory: Memory, { complete }: Surroundings): boolean => complete && memory.lost === 0;

/** Whether it is known that a page without entry is not mapped. */
const isUnmapped = (memory: Memory, page: number, around: Surroundings): boolean => {
  if (isForgotten(memory, page)) return false;
  // The event that unmapped it, if one did.
  const cause = PageTable.node(memory.virtual, page)?.cause[page % NODE_PAGES] ?? 0;
  return cause > 0 ? cause > memory.lostAt : isAll(memory, around);
};

const pageValue = (
  memory: Memory,
  expression: Expression & { readonly kind: 'page' },
  around: Surroundings,
): Value => {
  const { at, property } = expression;
  const entry = Memory.page(memory, at.page);
  if (entry === null) {
    // What does not exist has no level, frame or content.
    if (property === 'level' || property === 'phys' || property === 'class') return null;
    return isUnmapped(memory, at.page, around) ? false : null;
  }
  if (memory.lost > 0 && entry.cause <= memory.lostAt) return null;
  switch (property) {
    case 'mapped':
      return permission(entry, 'r');
    case 'level':
      return levelOf(entry.shift);
    case 'phys':
      return entry.frame < 0 ? null : BigInt(entry.frame) * BigInt(PAGE_SIZE) + BigInt(at.offset);
    case 'class': {
      const content = Memory.contentOf(memory, entry.frame);
      if (content === null) return null;
      const name = CONTENT_CLASSES[PageContent.classAt(content, Math.floor(at.offset / BLOCK))];
      return name === undefined || name === 'unknown' ? null : name;
    }
    default:
      return permission(entry, property);
  }
};

const aliasValue = (memory: Memory, expression: Expression & { readonly kind: 'alias' }): Value => {
  const page = Memory.page(memory, expression.at.page);
  const alias = page === null ? null : Memory.alias(memory, page.frame);
  if (expression.property === 'known') return alias !== null;
  if (alias === null || (memory.lost > 0 && alias.cause <= memory.lostAt)) return null;
  return expression.property === 'level' ? levelOf(alias.shift) : permission(alias, expression.property);
};

/** Whether something is there; what is not seen need not be absent. */
const orUnknown = (there: boolean, memory: Memory, around: Surroundings): Value =>
  there || (isAll(memory, around) ? false : null);

const stateOf = (memory: Memory, named: NamedProgram, program: Program | null): string => {
  if (program !== null) return program.state;
  return named.to !== null && memory.seq >= named.to ? 'freed' : 'none';
};

const progValue = (
  memory: Memory,
  expression: Expression & { readonly kind: 'prog' },
  { programs }: Surroundings,
): Value => {
  const named = programs.get(expression.what);
  if (named === undefined) return null;
  const program = Memory.program(memory, named.number);
  switch (expression.property) {
    case 'state':
      return stateOf(memory, named, program);
    case 'chunk':
      return program === null ? null : Address.toBigInt(program.chunk);
    case 'len':
      return program?.length === null || program === null ? null : BigInt(program.length);
    default:
      return program === null || program.start === null ? null : Address.toBigInt(program.start);
  }
};

const packValue = (
  memory: Memory,
  expression: Expression & { readonly kind: 'pack' },
  around: Surroundings,
): Value => {
  const pack = Memory.packAt(memory, expression.at.page);
  if (expression.property === 'exists') return orUnknown(pack !== null, memory, around);
  if (pack === null) return null;
  if (expression.property === 'total') return BigInt(pack.bytes);
  return pack.partial ? null : BigInt(pack.usedChunks * CHUNK);
};

const hasSymbol = (memory: Memory, name: string): boolean => {
  for (const symbol of Memory.symbols(memory)) if (symbol.name === name) return true;
  return false;
};

/** What is counted in memory is all there is only where nothing is missing. */
const COUNTED: ReadonlySet<Total> = new Set<Total>(['programs', 'packs']);

const whole = (value: number | null): Value => (value === null ? null : BigInt(value));

const totalValue = (memory: Memory, name: Total, around: Surroundings): Value => {
  if (COUNTED.has(name) && !isAll(memory, around)) return null;
  if (name.startsWith('level') && memory.lost > 0) return null;
  switch (name) {
    case 'charged':
      return whole(memory.charged);
    case 'limit':
      return whole(memory.limit);
    case 'unknown':
      return BigInt(memory.unknown.reduce((pages, range) => pages + range.pages, 0));
    case 'lost':
      return BigInt(memory.lost);
    case 'programs':
      return BigInt(memory.programs.size);
    case 'packs':
      return BigInt(memory.packs.length);
    case 'level2_splits':
      return BigInt(memory.counters.level2Splits);
    case 'level3_splits':
      return BigInt(memory.counters.level3Splits);
    case 'level2_collapses':
      return BigInt(memory.counters.level2Collapses);
    default:
      return BigInt(memory.counters.level3Collapses);
  }
};

const compare = (operator: Binary, left: Value, right: Value): Value => {
  if (left === null || right === null) return null;
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      return calculate(operator, left as bigint, right as bigint);
  }
};

const calculate = (operator: Binary, left: bigint, right: bigint): bigint => {
  if (operator === '+') return left + right;
  return operator === '-' ? left - right : left * right;
};

/** The value of an expression after the event that memory is after. */
export const evaluate = (expression: Expression, memory: Memory, around: Surroundings): Value => {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'total':
      return totalValue(memory, expression.name, around);
    case 'page':
      return pageValue(memory, expression, around);
    case 'alias':
      return aliasValue(memory, expression);
    case 'pack':
      return packValue(memory, expression, around);
    case 'area':
      return Memory.areaAt(memory, expression.at.page)?.state ?? (isAll(memory, around) ? 'none' : null);
    case 'prog':
      return progValue(memory, expression, around);
    case 'symbol':
      return orUnknown(hasSymbol(memory, expression.name), memory, around);
    case 'invariant': {
      const rule = around.rules.get(expression.rule);
      if (rule?.broken !== null && rule !== undefined && memory.seq >= rule.broken) return false;
      return rule === undefined || rule.unknown ? null : true;
    }
    case 'not': {
      const of = evaluate(expression.of, memory, around);
      return of === null ? null : !of;
    }
    case 'minus': {
      const of = evaluate(expression.of, memory, around);
      return of === null ? null : -(of as bigint);
    }
    default: {
      const { operator } = expression;
      const left = evaluate(expression.left, memory, around);
      // One side decides, whatever the other is.
      if (operator === '&&' || operator === '||') {
        const decides = operator === '||';
        if (left === decides) return decides;
        const right = evaluate(expression.right, memory, around);
        if (right === decides) return decides;
        return left === null || right === null ? null : !decides;
      }
      return compare(operator, left, evaluate(expression.right, memory, around));
    }
  }
};
