import { Space } from '../../core/event/pages.js';
import type { Value } from '../../core/kernel/request.js';
import { Prot } from '../../core/value/prot.js';
import type { Step } from './drive.js';

const SET_MEMORY: Readonly<Record<string, string>> = {
  set_memory_ro: 'RO',
  set_memory_rw: 'RW',
  set_memory_x: 'X',
  set_memory_nx: 'NX',
  set_memory_rox: 'ROX',
};
const RESET = 0x100;

const size = (value: Value): string => (typeof value === 'number' ? String(value) : '?');

/**
 * What a run did, in the notation of kernel-model.md §2.9. `VA(n)`: an area of n bytes on 4K leaves, `VA(n:2M)` on 2M leaves, `VA+FL` where the
 * allocation itself sets VM_FLUSH_RESET_PERMS; `VF` with reset of the direct map, `VF'` without; `KV` the RW buffer; `COL` a merge to a 2M leaf.
 * `WARN`, `BUG`: the kernel says so; with `marks`: `[IBPB]` and `dirty=1` of a pack that was not made just now. The structs (KZ, KF) and the JIT's stores to the buffer show nowhere.
 */
export const storyOf = (steps: readonly Step[], marks = false): string => {
  const words: string[] = [];
  let resets = false;
  let held = false;
  let asked: Value;
  for (const step of steps)
    if (step.step === 'call') {
      const { name, args } = step;
      const permission = SET_MEMORY[name];
      if (permission !== undefined) words.push(`${permission}(${size(args['numpages'])})`);
      if (name === '__vmalloc_node_range') asked = args['size'];
      if (name === 'bpf_arch_text_copy') words.push(`CP(${size(args['len'])})`);
      if (name === 'bpf_arch_text_invalidate') words.push(`INV(${size(args['len'])})`);
      if (name === 'set_direct_map_invalid_noflush') resets = true;
    } else if (step.step === 'return') {
      if (step.name !== '__vunmap') continue;
      words.push(resets ? 'VF' : "VF'");
      resets = false;
    } else if (step.step === 'lock') {
      if (step.lock !== 'pack_mutex' || step.taken === held) continue;
      held = step.taken;
      words.push(held ? '{' : '}');
    } else if (step.step === 'choice') {
      if (step.what === 'buffer') words.push(step.answer === null ? 'KV!' : 'KV');
    } else {
      const { fact } = step;
      switch (fact.kind) {
        case 'charged':
          words.push(fact.bytes > 0 ? `CH(${fact.bytes})` : `UC(${-fact.bytes})`);
          break;
        case 'area-allocated':
          words.push(`VA${(fact.flags & RESET) === 0 ? '' : '+FL'}(${size(asked)})`);
          break;
        case 'mapped':
          if (fact.shift === 21 && words.at(-1)?.endsWith(':2M)') === false)
            words.push((words.pop() as string).replace(')', ':2M)'));
          break;
        case 'filled':
          if (fact.way === 'store') words.push('FILL');
          break;
        case 'copied':
          if (fact.way === 'store') words.push('ST');
          break;
        case 'area-flagged':
          words.push('FL');
          break;
        case 'collapsed':
          words.push('COL');
          break;
        case 'pack-created':
          words.push('L+');
          break;
        case 'pack-marked':
          if (!marks) break;
          if (fact.dirty === 0) words.push('[IBPB]');
          else if (words.at(-1) !== 'L+') words.push('dirty=1');
          break;
        case 'pack-removed':
          words.push('L-');
          break;
        case 'chunk-allocated':
          if (fact.pack !== 0) words.push('B+');
          break;
        case 'chunk-freed':
          words.push('B-');
          break;
        case 'warned':
          words.push(fact.bug === 1 ? 'BUG' : 'WARN');
          break;
        case 'published':
          words.push('PUB');
          break;
        case 'unpublished':
          words.push('UNP');
          break;
        default:
          break;
      }
    }
  return words.join(' ');
};

const BITS: readonly (readonly [number, string])[] = [
  [Prot.present, 'P'],
  [Prot.writable, 'W'],
  [Prot.executable, 'X'],
  [Prot.dirty, 'D'],
];
const bitText = (sign: string, bits: number): string => {
  const letters = BITS.flatMap(([bit, letter]) => ((bits & bit) === 0 ? [] : [letter])).join('');
  return letters === '' ? '' : sign + letters;
};
const spaceText = (space: number): string => (space === Space.direct ? 'alias' : 'area');
const leafText = (shift: number): string => ({ 12: '4K', 21: '2M', 30: '1G' })[shift] ?? `2^${shift}`;

/** Page-table facts, flushes and purges in order: `area 512 -W`, `alias 1 -W`, `split alias 2M`, `flush all (cpa)`, `flush 1 (cpa)`, `purge`… */
export const movesOf = (steps: readonly Step[]): string[] =>
  steps.flatMap((step) => {
    if (step.step !== 'fact') return [];
    const { fact } = step;
    switch (fact.kind) {
      case 'permission':
        return [
          `${spaceText(fact.space)} ${fact.pages} ${bitText('+', fact.set)}${bitText('-', fact.clear)}`,
        ];
      case 'split':
        return [`split ${spaceText(fact.space)} ${leafText(fact.from)}`];
      case 'collapsed':
        return [`merge ${spaceText(fact.space)} ${leafText(fact.to)}`];
      case 'tlb-flushed':
        return [`flush ${fact.pages === 0 ? 'all' : fact.pages} (${fact.why})`];
      case 'mapped':
        return [`map ${fact.pages} on ${leafText(fact.shift)}`];
      case 'unmapped':
        return ['unmap'];
      case 'area-allocated':
        return ['area taken'];
      case 'area-freed':
        return ['area lazy'];
      case 'areas-purged':
        return ['purge'];
      case 'frames-released':
        return ['frames given back'];
      default:
        return [];
    }
  });

/** Equal neighbours (or pairs, when they alternate) counted: `512 × (area 1 -W, alias 1 -W)`. */
export const counted = (moves: readonly string[]): string[] => {
  const found: string[] = [];
  for (let at = 0; at < moves.length;) {
    let best = { width: 1, times: 1 };
    for (const width of [1, 2]) {
      const group = moves.slice(at, at + width);
      let times = 1;
      while (group.every((move, i) => moves[at + times * width + i] === move)) times++;
      if (times > 1 && times * width > best.times * best.width) best = { width, times };
    }
    const group = moves.slice(at, at + best.width);
    found.push(best.times === 1 ? (group[0] as string) : `${best.times} × (${group.join(', ')})`);
    at += best.width * best.times;
  }
  return found;
};
