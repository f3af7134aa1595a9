import { unitOf } from '../../arch/arch.js';
import { STRUCT_PAGE } from '../../kernel/vmalloc.js';
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
  // On some architectures it begins at address 0.
  const known = directBase !== 0 || scene.kernel.arch.directBase === 0;
  if (!known || !Word.isZero(vmemmap) || open?.fn.name.startsWith('set_direct_map_') !== true) return;
  const at = recordedAddress(line, 'vaddr') ?? recordedAddress(line, 'addr');
  const page = open.args['page'];
  if (at === null || typeof page !== 'object' || !('page' in page)) return;
  const base = Address.add(page, -(at.page - directBase) * 64);
  scene.emit(
    { kind: 'bases-learned', direct: directBase, vmemmap: Word.fromAddress(base) },
    Origin.derived,
    0,
  );
};

/** The flush of a freed area begins at the alias of its lowest page, whose struct page stood in the lines before. */
const learnVmemmapOfFlush = (scene: Scene, line: RecordedLine): void => {
  const { directBase, vmemmap } = scene.memory();
  if (directBase === 0 || !Word.isZero(vmemmap)) return;
  if (line.fn === 'set_direct_map_invalid_noflush') {
    const page = recordedAddress(line, 'page');
    const lowest = scene.invalidated.get(line.pid);
    if (page !== null && (lowest === undefined || Address.compare(page, lowest) < 0))
      scene.invalidated.set(line.pid, page);
    return;
  }
  const page = scene.invalidated.get(line.pid);
  const start = recordedAddress(line, 'start') ?? recordedAddress(line, 'arg1');
  scene.invalidated.delete(line.pid);
  if (page === undefined || start === null || start.page < directBase) return;
  const base = Address.add(page, (-(start.page - directBase) / unitOf(scene.kernel.arch)) * STRUCT_PAGE);
  scene.emit(
    { kind: 'bases-learned', direct: directBase, vmemmap: Word.fromAddress(base) },
    Origin.derived,
    0,
  );
};

/** The size of the first pack tells the number of NUMA nodes. */
const learnNodes = (scene: Scene, line: RecordedLine): void => {
  if (scene.packSeen || !AREA_CALLS.includes(line.fn)) return;
  // Where everybody's areas are recorded, vmalloc itself may be asked by anybody.
  if (!scene.kernel.arch.ownRange && line.fn === '__vmalloc_node_range') return;
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
  } else if (line.fn === 'set_direct_map_invalid_noflush' || line.fn === '_vm_unmap_aliases')
    learnVmemmapOfFlush(scene, line);
  else if (line.fn === '__set_memory') learnVmemmap(scene, line, open);
  else learnNodes(scene, line);
};

/** Content that a line shows by the way: the header of a chunk before it is copied. */
export const learnContent = (scene: Scene, line: RecordedLine, call: number): void => {
  if (line.fn !== 'bpf_jit_binary_pack_finalize') return;
  const at = recordedAddress(line, 'ro_header');
  const value = recordedValue(line, 'ro_header_size');
  if (at === null || value === null || value.lo === scene.kernel.arch.trap >>> 0) return;
  scene.emit({ kind: 'seen', at, value: value.lo >>> 0 }, Origin.observed, call);
};
