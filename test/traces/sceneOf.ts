import type { Arch } from '../../core/arch/arch.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { Memory } from '../../core/memory/memory.js';
import { PageContent } from '../../core/memory/content.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { Address } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { inModules } from './callTree.js';

/** Classes of what lies in a page, 64 bytes each. */
const contentOf = (memory: Memory, frame: number): string => {
  const content = Memory.contentOf(memory, frame);
  if (content === null) return '';
  return Array.from({ length: 64 }, (_, block) => PageContent.classAt(content, block).toString(36)).join('');
};

/** The module area and what lives there, as text. Before was_classic no recording tells a classic filter from a program. Of frames and aliases: of pages that may be executed, whose frames every recording shows. */
export const sceneOf = (memory: Memory, { name: arch, framesShown }: Arch = x86_64): object => ({
  pages: [...PageTable.pages(memory.virtual)]
    .filter(([page]) => arch !== 'x86_64' || inModules(page))
    .map(([page, node, slot]) => {
      const prot = node.prot[slot] as number;
      const frame = node.frame[slot] as number;
      const alias = Memory.alias(memory, frame);
      const behind = Prot.mayExecute(prot)
        ? `${framesShown ? `${frame} ${Prot.toText(alias?.prot ?? Prot.nothingKnown)}` : ''} ${contentOf(memory, frame)}`
        : '';
      return `${page.toString(16)} ${Prot.toText(prot)} ${node.shift[slot]} ${behind}`;
    }),
  areas: [...Memory.areas(memory)]
    .filter(({ state, start }) => state === 'live' && (arch !== 'x86_64' || inModules(start)))
    .map(({ start, pages }) => `${start.toString(16)} ${pages}`),
  packs: memory.packs.map(({ start, bytes, usedChunks }) => `${start.toString(16)} ${bytes} ${usedChunks}`),
  programs: [...Memory.programs(memory)]
    .map(
      ({ chunk, bytes, start, length, type, state, name, symbols }) =>
        `${Address.toText(chunk)} ${bytes} ${start && Address.toText(start)} ${length} ${type === 'classic' ? 'program' : type} ${state} ${name} ${symbols}`,
    )
    .sort(),
  symbols: [...Memory.symbols(memory)]
    .map(({ start, end, name }) => `${Address.toText(start)} ${Address.toText(end)} ${name}`)
    .sort(),
});

/** The first lines in which two scenes differ, `-` recorded, `+` emulated. */
export const sceneDifferences = (recorded: object, emulated: object): string[] =>
  Object.entries(recorded).flatMap(([section, list]: [string, readonly string[]]) => {
    const other = (emulated as Record<string, readonly string[]>)[section] ?? [];
    const at = list.findIndex((text, i) => text !== other[i]);
    if (at < 0 && list.length === other.length) return [];
    const first = at < 0 ? list.length : at;
    return [
      `${section} ${first}: - ${list[first] ?? 'no more'}`,
      `${section} ${first}: + ${other[first] ?? 'no more'}`,
    ];
  });
