/**
 * What a recorded line says by itself, without a model: used where a root call has none, or after a divergence.
 */
import type { Fact } from '../../event/event.js';
import { Space } from '../../event/pages.js';
import { protChange } from '../../kernel/masks.js';
import type { Kernel } from '../../kernel/request.js';
import { Memory } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import { Prot } from '../../value/prot.js';
import {
  MOST_PAGES,
  plausible,
  recordedAddress,
  recordedNumber,
  recordedText,
  recordedValue,
  type RecordedLine,
} from '../recorded.js';

const pageAttributes = (k: Kernel, line: RecordedLine): Fact[] => {
  const at = recordedAddress(line, 'vaddr');
  const set = recordedValue(line, 'mask_set');
  const clr = recordedValue(line, 'mask_clr');
  const numpages = recordedNumber(line, 'numpages') ?? 0;
  if (at === null || set === null || clr === null || numpages === 0) return [];
  const change = protChange(set, clr);
  if (change.set === 0 && change.clear === 0) return [];
  const base = k.memory().directBase;
  const moduleStart = k.arch.moduleRange(k.profile)[0];
  const direct =
    base !== 0 &&
    at.page >= base &&
    at.page < base + 2 ** 34 &&
    at.page < moduleStart &&
    Memory.page(k.memory(), at.page) === null &&
    Memory.areaAt(k.memory(), at.page) === null;
  if (!direct)
    return [
      {
        kind: 'permission',
        space: Space.virtual,
        page: at.page,
        pages: numpages,
        set: change.set,
        clear: change.clear,
      },
    ];
  const pfn = at.page - base;
  const facts: Fact[] = [];
  const leaf = Memory.aliasLeaf(k.memory(), pfn);
  if (numpages < 512 && leaf !== 12)
    facts.push({ kind: 'split', space: Space.direct, page: pfn - (pfn % 512), from: 21, to: 12 });
  facts.push({
    kind: 'permission',
    space: Space.direct,
    page: pfn,
    pages: numpages,
    set: change.set,
    clear: change.clear,
  });
  return facts;
};

const chunkTaken = (k: Kernel, at: Address): boolean => Memory.programAt(k.memory(), at) !== null;

/** Facts that follow from one line (of a return: with its entry line) alone. */
export const observe = (k: Kernel, line: RecordedLine, entry: RecordedLine | null): readonly Fact[] => {
  const memory = k.memory();
  if (!plausible(line) || (entry !== null && !plausible(entry))) return [];
  if (line.isReturn) {
    switch (line.fn) {
      // Where the inner line is missing, the outer one shows the same area.
      case 'bpf_jit_alloc_exec':
      case 'module_alloc':
      case 'execmem_alloc':
      case '__vmalloc_node_range': {
        const at = recordedAddress(line, 'ret');
        const size = entry === null ? null : recordedNumber(entry, 'size');
        if (at === null || size === null || Address.isZero(at) || Memory.areaAt(memory, at.page) !== null)
          return [];
        const pages = Math.ceil(size / 4096);
        const facts: Fact[] = [
          {
            kind: 'area-allocated',
            start: at.page,
            pages: pages + 1,
            flags: (entry === null ? 0 : recordedNumber(entry, 'vm_flags')) ?? 0,
            caller: '',
          },
        ];
        if (Memory.page(memory, at.page) === null)
          facts.push({
            kind: 'mapped',
            page: at.page,
            pages,
            shift: 12,
            prot: Prot.kernel,
            frame: k.nameFrames(pages),
          });
        return facts;
      }
      case 'bpf_prog_pack_alloc': {
        const at = recordedAddress(line, 'ret');
        const size = entry === null ? null : recordedNumber(entry, 'size');
        if (at === null || size === null || Address.isZero(at) || chunkTaken(k, at)) return [];
        const pack = Memory.packAt(memory, at.page);
        return pack === null
          ? []
          : [{ kind: 'chunk-allocated', pack: pack.start, at, bytes: Math.ceil(size / 64) * 64 }];
      }
      default:
        return [];
    }
  }
  switch (line.fn) {
    case '__change_page_attr_set_clr':
      return pageAttributes(k, line);
    case 'remove_vm_area': {
      const at = recordedAddress(line, 'addr');
      if (at === null) return [];
      const area = Memory.areaAt(memory, at.page);
      // Its allocation was not recorded: the pages known there are gone. Behind them lies one that is never mapped.
      if (area === null) {
        let pages = 0;
        while (Memory.page(memory, at.page + pages) !== null) pages++;
        return pages === 0 ? [] : [{ kind: 'unmapped', page: at.page, pages }];
      }
      return [
        { kind: 'unmapped', page: area.start, pages: area.pages },
        { kind: 'area-freed', start: area.start },
      ];
    }
    case 'vmap_pages_range_noflush': {
      const at = recordedAddress(line, 'addr');
      const end = recordedAddress(line, 'end');
      if (at === null || end === null) return [];
      const pages = end.page - at.page;
      if (pages <= 0 || pages > MOST_PAGES) return [];
      return [
        {
          kind: 'mapped',
          page: at.page,
          pages,
          shift: recordedNumber(line, 'page_shift') ?? 12,
          prot: Prot.kernel,
          frame: k.nameFrames(pages),
        },
      ];
    }
    case 'bpf_ksym_add': {
      const start = recordedAddress(line, 'start');
      const end = recordedAddress(line, 'end');
      if (start === null || end === null) return [];
      const program = Memory.programAt(memory, start);
      return [
        {
          kind: 'published',
          program: program?.number ?? 0,
          start,
          end,
          name: recordedText(line, 'name') ?? '',
          id: 0,
          ksym: recordedValue(line, 'ksym') ?? Word.zero,
        },
      ];
    }
    case 'bpf_ksym_del': {
      const start = recordedAddress(line, 'start');
      if (start === null || Address.isZero(start)) return [];
      return [
        {
          kind: 'unpublished',
          start,
          name: recordedText(line, 'name') ?? '',
          ksym: recordedValue(line, 'ksym') ?? Word.zero,
        },
      ];
    }
    case '__text_poke': {
      const to = recordedAddress(line, 'addr');
      const length = recordedNumber(line, 'len') ?? 0;
      return to === null || length === 0 || Memory.page(memory, to.page) === null
        ? []
        : [{ kind: 'copied', to, length, what: 'code', way: 'poke' }];
    }
    case 'bpf_prog_pack_free': {
      const at = recordedAddress(line, 'ptr') ?? recordedAddress(line, 'hdr');
      const size = recordedNumber(line, 'size') ?? recordedNumber(line, 'hdr_size') ?? 0;
      if (at === null || size === 0) return [];
      const pack = Memory.packAt(memory, at.page);
      const program = Memory.programAt(memory, at);
      const facts: Fact[] = [];
      if (pack !== null)
        facts.push({ kind: 'chunk-freed', pack: pack.start, at, bytes: Math.ceil(size / 64) * 64 });
      if (program !== null) facts.push({ kind: 'program-freed', program: program.number });
      return facts;
    }
    case 'flush_tlb_kernel_range':
      return [{ kind: 'tlb-flushed', page: 0, pages: 0, why: 'recorded' }];
    default:
      return [];
  }
};
