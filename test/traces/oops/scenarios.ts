/** Recordings of the bundle, as they would have been had a call failed: made of their own lines. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { bundledRecording } from '../../../traces/bundledRecordings.js';

/** The text of a bundled recording's trace. */
export const bundledTrace = (name: string): string =>
  gunzipSync(readFileSync(join(bundledRecording(name), 'trace.txt.gz'))).toString('utf8');

const ENOMEM = '-12';

/** 5.18-rc3, leftover-dirty: the first pack is freed while no page table is to be had: none of its 512 aliases can be split off their 2M leaf. */
export const splitsFail = (): string => {
  const lines = bundledTrace('x86_64-5.18-rc3-S8-leftover-dirty').split('\n');
  const out: string[] = [];
  let inside: { readonly fn: string; readonly lines: string[]; address: string } | null = null;
  let shown: { readonly entry: string; readonly result: string } | null = null;
  let reset = 0;
  for (const line of lines) {
    const begins = / (set_direct_map_(?:invalid|default)_noflush): /.exec(line);
    // The recording ends with the call that freed the pack.
    if (reset === 1024 && out.at(-1)?.includes(' bpf_jit_free_ret: ') === true) break;
    if (begins !== null) {
      inside = { fn: begins[1] as string, lines: [], address: '' };
      out.push(line);
      continue;
    }
    if (inside === null) {
      out.push(line);
      continue;
    }
    if (line.includes(' __should_split_large_page: ')) {
      shown = { entry: line, result: '' };
      continue;
    }
    if (line.includes(' __should_split_large_page_ret: ')) {
      shown = { entry: shown?.entry ?? '', result: line };
      continue;
    }
    if (line.includes('__split_large_page')) continue;
    const at = /vaddr=(0x[0-9a-f]+)/.exec(line);
    if (at !== null) inside.address = at[1] as string;
    const stamp = (of: string): string => of.replace(/\d+\.\d{6}:/, /\d+\.\d{6}:/.exec(line)?.[0] ?? '');
    if (line.includes(' __change_page_attr_ret: ') && shown !== null) {
      // The leaf is met whole again: it is asked each time whether to split it.
      out.push(stamp(shown.entry).replace(/ address=0x[0-9a-f]+/, ` address=${inside.address}`));
      out.push(stamp(shown.result));
    }
    const returns = /_ret: /.test(line);
    out.push(returns ? line.replace(/ ret=0$/, ` ret=${ENOMEM}`) : line);
    if (line.includes(` ${inside.fn}_ret: `)) {
      inside = null;
      reset++;
    }
  }
  return ended(out);
};

/** A recording in which every call of a function fails with −ENOMEM and does nothing. */
export const callFails = (name: string, fn: string): string => {
  const out: string[] = [];
  let inside = false;
  for (const line of bundledTrace(name).split('\n')) {
    if (line.includes(` ${fn}: `)) {
      inside = true;
      out.push(line);
      continue;
    }
    if (inside && line.includes(` ${fn}_ret: `)) {
      inside = false;
      out.push(line.replace(/ ret=0$/, ` ret=${ENOMEM}`));
      continue;
    }
    if (!inside) out.push(line);
  }
  return ended(out);
};

/** Without the count of events, which is that of the whole recording. */
const ended = (lines: readonly string[]): string =>
  `${lines.join('\n').trimEnd()}\n`.replace(/^# entries-in-buffer.*$/m, '#');

/**
 * 5.18-rc5: the first program is compiled, but not finalized, and freed again while others live in its pack: the size in its header is garbage,
 * the pack goes as if it were a single allocation.
 */
export const freedUnfinalized = (): string => {
  const lines = bundledTrace('x86_64-5.18-rc5-S1-pack-basic').split('\n');
  const from = lines.findIndex((line) => line.includes(' bpf_jit_binary_pack_finalize: '));
  const to = lines.findIndex((line) => line.includes(' bpf_jit_binary_pack_finalize_ret: '));
  const loaded = lines.findIndex((line) => line.includes('phase: loaded8'));
  const chunk = /ro_header=(0x[0-9a-f]+)/.exec(lines[from] as string)?.[1] ?? '';
  const entry = /prog=(0x[0-9a-f]+)/.exec(lines[from] as string)?.[1] ?? '';
  const image = lines.find((line) => line.includes(' bpf_int_jit_compile_ret: '));
  const start = /bpf_func=0x[0-9a-f]+/.exec(image ?? '')?.[0] ?? '';
  const last = lines.findLastIndex((line) => line.includes(' bpf_jit_free: '));
  const end = lines.findLastIndex((line) => line.includes(' bpf_jit_free_ret: '));
  const free = lines.slice(last, end + 1).map((line) =>
    line
      .replace(/hdr=0x[0-9a-f]+ hdr_size=\d+/, `hdr=${chunk} hdr_size=1413891404`)
      .replace(/fp=0x[0-9a-f]+/, `fp=${entry}`)
      .replace(/bpf_func=0x[0-9a-f]+/, start),
  );
  // What the deferred free prints comes later than the marker.
  return ended([...lines.slice(0, from), ...lines.slice(to + 1, loaded + 1), ...free]);
};
