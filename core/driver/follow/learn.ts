import { Origin } from '../../event/kind.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import { recordedAddress, recordedNumber, recordedValue, type RecordedLine } from '../recorded.js';
import { AREA_CALLS } from './answers.js';
import { PMD_SIZE, type Scene } from './scene.js';
import type { OpenCall } from './context.js';

/** The direct map lies where an alias step shows a frame and its address. */
const learnDirectBase = (scene: Scene, line: RecordedLine): void => {
  const { directBase, vmemmap } = scene.memory();
  if (directBase !== 0) return;
  const pfn = recordedNumber(line, 'pfn') ?? 0;
  const at = recordedAddress(line, 'vaddr');
  const primary = recordedNumber(line, 'checkalias') === 1 || recordedNumber(line, 'primary') === 1;
  if (pfn === 0 || at === null || primary) return;
  scene.emit({ kind: 'bases-learned', direct: at.page - pfn, vmemmap }, Origin.derived, 0);
};

/** The struct pages lie where set_direct_map_* shows one and the step inside shows its address. */
const learnVmemmap = (scene: Scene, line: RecordedLine, open: OpenCall | undefined): void => {
  const { directBase, vmemmap } = scene.memory();
  if (directBase === 0 || !Word.isZero(vmemmap) || open?.fn.name.startsWith('set_direct_map_') !== true)
    return;
  const at = recordedAddress(line, 'vaddr');
  const page = open.args['page'];
  if (at === null || typeof page !== 'object' || !('page' in page)) return;
  const base = Address.add(page, -(at.page - directBase) * 64);
  scene.emit(
    { kind: 'bases-learned', direct: directBase, vmemmap: Word.fromAddress(base) },
    Origin.derived,
    0,
  );
};

/** The size of the first pack tells the number of NUMA nodes. */
const learnNodes = (scene: Scene, line: RecordedLine): void => {
  if (scene.packSeen || !AREA_CALLS.includes(line.fn)) return;
  const size = recordedNumber(line, 'size') ?? 0;
  if (size % PMD_SIZE !== 0 || size / PMD_SIZE <= scene.nodes) return;
  scene.nodes = size / PMD_SIZE;
  scene.chose('nodes');
};

/** What an entry line tells of the machine. `open`: the innermost call of its task. */
export const learn = (scene: Scene, line: RecordedLine, open: OpenCall | undefined): void => {
  if (line.isReturn) return;
  if (line.fn === '__change_page_attr_set_clr') {
    learnDirectBase(scene, line);
    learnVmemmap(scene, line, open);
  } else learnNodes(scene, line);
};

/** Content that a line shows by the way: the header of a chunk before it is copied. */
export const learnContent = (scene: Scene, line: RecordedLine, call: number): void => {
  if (line.fn !== 'bpf_jit_binary_pack_finalize') return;
  const at = recordedAddress(line, 'ro_header');
  const value = recordedValue(line, 'ro_header_size');
  if (at === null || value === null || value.lo === scene.kernel.arch.trap >>> 0) return;
  scene.emit({ kind: 'seen', at, value: value.lo >>> 0 }, Origin.observed, call);
};
