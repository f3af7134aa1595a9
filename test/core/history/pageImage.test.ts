import { expect } from 'chai';
import { encodeImages, imageIn } from '../../../core/history/pageImage.js';
import { decodeProgram, encodeProgram, symbolsOf } from '../../../core/history/programImage.js';
import { BLOCKS_PER_PAGE, PageContent } from '../../../core/memory/content.js';
import { Memory, NO_FRAME } from '../../../core/memory/memory.js';
import { PageTable } from '../../../core/memory/pageTable.js';
import { Word } from '../../../core/value/words.js';
import { join } from 'node:path';
import { logOn } from '../../../replay/log.js';
import { openStore } from '../../../store/index.js';
import { simulate } from '../../../traces/simulate/simulate.js';
import { must } from '../../store/given.js';
import { randomWorkload } from '../../traces/randomWorkload.js';
import { newDesk, type Desk } from '../../traces/recordings.js';

const cellsOf = (content: PageContent | null): readonly number[] | null =>
  content === null
    ? null
    : Array.from({ length: BLOCKS_PER_PAGE }, (_, block) => PageContent.cellAt(content, block));

describe('images of pages and programs', () => {
  const memories: Memory[] = [];
  let desk: Desk;
  before(() => {
    desk = newDesk();
    const store = must(openStore(join(desk.folder, 'images.db')));
    for (const kernel of ['5.10', '7.2']) {
      must(simulate(store, randomWorkload(4, 60), { kernel, name: kernel }));
      const trace = must(logOn(store).trace(kernel));
      for (const part of [0.3, 0.6, 1]) memories.push(must(trace.at(Math.floor(trace.info.events * part))));
    }
  });
  after(() => desk.end());

  it('say what memory says of each page', () => {
    let looked = 0;
    for (const memory of memories)
      for (const base of new Set(
        Array.from(PageTable.pages(memory.virtual), ([page]) => page - (page % 512)),
      )) {
        const slots = Array.from({ length: 512 }, (_, slot) => slot).filter((slot) => slot % 7 !== 3);
        const bytes = encodeImages(memory, base, slots, (page) => (page % 5 === 0 ? [page % 1000, 3] : []));
        expect(imageIn(bytes, base, 3)).to.equal(null);
        for (const slot of slots) {
          const page = base + slot;
          const image = imageIn(bytes, base, slot);
          const entry = Memory.page(memory, page);
          const area = Memory.areaAt(memory, page);
          const held = area?.frames?.[page - area.start] ?? NO_FRAME;
          const frame = (entry?.frame ?? NO_FRAME) === NO_FRAME ? held : (entry?.frame ?? NO_FRAME);
          expect(image?.entry, `page ${page}`).to.deep.equal(entry);
          expect(image?.held).to.equal(held);
          expect(image?.alias).to.deep.equal(Memory.alias(memory, frame));
          expect(image?.cells).to.deep.equal(cellsOf(Memory.contentOf(memory, frame)));
          expect(image?.area?.start).to.equal(area?.start);
          expect(image?.area?.state).to.equal(area?.state);
          expect(image?.programs).to.deep.equal(page % 5 === 0 ? [page % 1000, 3] : []);
          looked++;
        }
      }
    expect(looked).to.be.greaterThan(1000);
  });

  it('say what memory says of each program but its pointers', () => {
    let looked = 0;
    for (const memory of memories)
      for (const program of Memory.programs(memory)) {
        const symbols = symbolsOf(memory, program);
        const image = decodeProgram(program.number, encodeProgram({ program, symbols }));
        expect(image.program).to.deep.equal({ ...program, pointer: Word.zero, proglen: 0, type: '' });
        expect(image.symbols.map(({ start, end, name }) => ({ start, end, name }))).to.deep.equal(
          symbols.map(({ start, end, name }) => ({ start, end, name })),
        );
        looked += image.symbols.length;
      }
    expect(looked).to.be.greaterThan(20);
  });
});
