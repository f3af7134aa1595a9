/** Calls of a trace that failed, and what they were asked for. */
import { valuesJson } from '../../core/codec/json.js';
import type { EventOf } from '../../core/event/event.js';
import { Address } from '../../core/value/address.js';
import { ok, type Result } from '../../core/value/failure.js';
import { Word } from '../../core/value/words.js';
import type { TraceView } from '../log.js';

export interface FailedCall {
  readonly fn: string;
  /** Numbers of its `entered` and `returned` events. */
  readonly seq: number;
  readonly returned: number;
  /** Negative errno, or what it returned instead of success. */
  readonly result: number;
  /** What it was about: virtual pages, or a frame of the direct map. */
  readonly page: number | null;
  readonly pages: number;
  readonly pfn: number | null;
  readonly task: string;
}

type Success = 'zero' | 'pointer';

/** What each function returns when it succeeds. */
const SUCCESS: Readonly<Record<string, Success>> = {
  set_memory_ro: 'zero',
  set_memory_rw: 'zero',
  set_memory_x: 'zero',
  set_memory_nx: 'zero',
  set_memory_rox: 'zero',
  set_memory_np: 'zero',
  change_memory_common: 'zero',
  set_direct_map_invalid_noflush: 'zero',
  set_direct_map_default_noflush: 'zero',
  bpf_jit_binary_pack_finalize: 'zero',
  bpf_arch_text_invalidate: 'zero',
  bpf_arch_text_copy: 'pointer',
  text_poke_copy: 'pointer',
  bpf_jit_binary_pack_alloc: 'pointer',
  bpf_prog_pack_alloc: 'pointer',
};

const STRUCT_PAGE = 64;
/** Pointers from here on are errors (ERR_PTR). */
const FIRST_ERROR = 0xfffff001;

const failureOf = (how: Success, { hi, lo }: Word): number | null => {
  if (how === 'zero') return lo === 0 ? null : lo | 0;
  if (hi === 0 && lo === 0) return 0;
  return hi === 0xffffffff && lo >= FIRST_ERROR ? lo | 0 : null;
};

const resultOf = ({ names, values }: EventOf<'returned'>): Word | null => {
  const at = names.split(',').indexOf('ret');
  return at < 0 ? null : { hi: values.hi[at] ?? 0, lo: values.lo[at] ?? 0 };
};

const first = (args: Readonly<Record<string, string>>, ...names: readonly string[]): Address | null => {
  for (const name of names) {
    const value = args[name];
    const address = value === undefined ? null : Address.parse(value);
    if (address !== null) return address;
  }
  return null;
};

const PAGES = 4096;

const about = (
  { fn, names, values }: EventOf<'entered'>,
  vmemmap: Word,
): Pick<FailedCall, 'page' | 'pages' | 'pfn'> => {
  const args = valuesJson(names, values);
  if (fn.startsWith('set_direct_map_')) {
    const page = first(args, 'page');
    const pfn =
      page === null || Word.isZero(vmemmap)
        ? null
        : Math.floor(Address.minus(page, Word.toAddress(vmemmap)) / STRUCT_PAGE);
    return { page: null, pages: 1, pfn };
  }
  const at = first(args, 'addr', 'dst', 'ro_header', 'start');
  const count = Number(args['numpages'] ?? 0);
  const bytes = Number(args['len'] ?? args['size'] ?? 0);
  const pages = count > 0 ? count : at === null ? 0 : Math.max(1, Math.ceil((at.offset + bytes) / PAGES));
  return { page: at?.page ?? null, pages, pfn: null };
};

/** Calls that failed, up to event `to`, in order of their returns. `vmemmap`: as known at that moment; zero: not known. */
export const failedCalls = (trace: TraceView, to: number, vmemmap: Word): Result<readonly FailedCall[]> => {
  const open = new Map<number, EventOf<'entered'>>();
  const failed: FailedCall[] = [];
  for (const batch of trace.batches({ from: 0, to, kinds: ['entered', 'returned'] })) {
    if (!batch.ok) return batch;
    for (const event of batch.value) {
      if (event.kind === 'entered' && Object.hasOwn(SUCCESS, event.fn)) open.set(event.seq, event);
      if (event.kind !== 'returned') continue;
      const entered = open.get(event.call);
      open.delete(event.call);
      const how = Object.hasOwn(SUCCESS, event.fn) ? SUCCESS[event.fn] : undefined;
      const value = how === undefined ? null : resultOf(event);
      const result = how === undefined || value === null ? null : failureOf(how, value);
      if (entered === undefined || result === null) continue;
      failed.push({
        fn: event.fn,
        seq: entered.seq,
        returned: event.seq,
        result,
        task: event.task,
        ...about(entered, vmemmap),
      });
    }
  }
  return ok(failed);
};

const ERRNO: Readonly<Record<number, string>> = {
  [-1]: '−EPERM',
  [-12]: '−ENOMEM',
  [-14]: '−EFAULT',
  [-22]: '−EINVAL',
  [-524]: '−ENOTSUPP',
};

export const resultText = (result: number): string => ERRNO[result] ?? String(result);
