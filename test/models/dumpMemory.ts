import { BLOCK, BLOCKS_PER_PAGE, PageContent } from '../../core/memory/content.js';
import { CHUNK } from '../../core/memory/evolvePacks.js';
import { frameOfKey, type Memory, type Pack } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { SparseMap } from '../../core/memory/sparse.js';
import { Address } from '../../core/value/address.js';
import { Word } from '../../core/value/words.js';

/** Neighbours with the same text as one line: `from+count text`. */
function* runs(items: Iterable<readonly [number, string]>): Generator<string> {
  let first = 0;
  let count = 0;
  let text = '';
  for (const [at, here] of items) {
    if (count > 0 && at === first + count && here === text) {
      count++;
      continue;
    }
    if (count > 0) yield `${first}+${count} ${text}`;
    [first, count, text] = [at, 1, here];
  }
  if (count > 0) yield `${first}+${count} ${text}`;
}

function* pages(table: PageTable): Generator<readonly [number, string]> {
  for (const [page] of PageTable.pages(table)) {
    const entry = PageTable.get(table, page);
    if (entry === null) continue;
    const { prot, shift, frame, cause, mark } = entry;
    // A frame (or the page it backs) goes up with the page where it is a number, so the difference is what repeats.
    const place = frame >= 0 ? `=${frame - page}` : frame < -1 ? `~${frame + page}` : '-';
    yield [page, `prot ${prot} shift ${shift} frame ${place} cause ${cause} mark ${mark}`];
  }
}

/** Leaf shifts of the 2M regions of the direct map. */
function* regions(table: PageTable): Generator<readonly [number, string]> {
  for (const [first, , node] of PageTable.changedNodes(PageTable.empty, table))
    if (node !== undefined && node.leaf !== 0) yield [first / 512, `leaf ${node.leaf}`];
}

function* content(memory: Memory): Generator<string> {
  for (const [key, page] of SparseMap.entries(memory.content)) {
    const blocks: [number, string][] = [];
    for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
      const known = page.bytes?.subarray(block * BLOCK, (block + 1) * BLOCK);
      const cls = PageContent.classAt(page, block);
      const bytes = cls === 5 && known !== undefined ? ` ${Buffer.from(known).toString('hex')}` : '';
      blocks.push([block, `class ${cls} ref ${PageContent.refAt(page, block)}${bytes}`]);
    }
    const seen = [...(page.seen ?? [])].sort(([a], [b]) => a - b).map(([at, value]) => `${at}:${value}`);
    yield `${frameOfKey(key)}: ${[...runs(blocks)].join('; ')} seen ${seen.join(' ')}`;
  }
}

const pack = ({ start, bytes, used, usedChunks, partial, dirty }: Pack): string => {
  const taken: [number, string][] = [];
  for (let chunk = 0; chunk < bytes / CHUNK; chunk++)
    if (((used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0) taken.push([chunk, 'taken']);
  return `${start} ${bytes} bytes, ${usedChunks} used, partial ${partial}, dirty ${dirty}: ${[...runs(taken)].join('; ')}`;
};

/** Fields as text, addresses and words in hex. */
const fields = (value: object): string =>
  JSON.stringify(value, (_key, field: unknown) => {
    if (typeof field !== 'object' || field === null) return field;
    if ('page' in field && 'offset' in field) return Address.toText(field as Address);
    if ('hi' in field && 'lo' in field) return Word.toHex(field as Word);
    if (field instanceof Float64Array) return [...field].join(' ');
    return field;
  });

const entries = <V>(map: SparseMap<V>, text: (value: V) => string): string[] =>
  [...SparseMap.entries(map)].map(([key, value]) => `${key}: ${text(value)}`);

/**
 * Every table of a memory as lines of text, in a fixed order: two memories are the same when their dumps are. Owners (whose batch may write a node)
 * are no part of it.
 */
export const dumpMemory = (memory: Memory): string[] => {
  const { counters, charged, limit, unknown, directBase, vmemmap, lost, lostAt, lowestName, seq, time } =
    memory;
  const sections: readonly (readonly [string, Iterable<string>])[] = [
    ['virtual', runs(pages(memory.virtual))],
    ['direct', runs(pages(memory.direct))],
    ['regions', runs(regions(memory.direct))],
    ['content', content(memory)],
    ['names', entries(memory.names, String)],
    ['areas', entries(memory.areas, fields)],
    ['packs', memory.packs.map(pack)],
    ['programs', entries(memory.programs, fields)],
    ['by chunk', entries(memory.programsByChunk, (numbers) => numbers.join(' '))],
    ['by pointer', entries(memory.programsByPointer, (numbers) => numbers.join(' '))],
    ['symbols', entries(memory.symbols, fields)],
    [
      'rest',
      [
        fields({
          counters,
          charged,
          limit,
          unknown,
          directBase,
          vmemmap,
          lost,
          lostAt,
          lowestName,
          seq,
          time,
        }),
      ],
    ],
  ];
  return sections.flatMap(([title, lines]) => [`# ${title}`].concat([...lines]));
};
