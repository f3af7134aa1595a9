/**
 * The rules of the trace event format, as its description and the Perfetto importer have them: who breaks one of them, in words. A reader of JSON that
 * knows nothing of who wrote it.
 */
interface Entry {
  readonly ph: string;
  readonly ts: number;
  readonly pid: number;
  readonly tid?: number;
  readonly name?: string;
  readonly s?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface TraceFile {
  readonly traceEvents: readonly Entry[];
  readonly otherData: Readonly<Record<string, unknown>>;
  readonly displayTimeUnit: string;
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const hasUnsafeNumber = (value: unknown): boolean =>
  typeof value === 'number'
    ? !Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER
    : typeof value === 'object' && value !== null && Object.values(value).some(hasUnsafeNumber);

function fault({ ph, ts, pid, tid, name, s, args }: Entry): string | null {
  if (!['B', 'E', 'i', 'C', 'M'].includes(ph)) return `phase ${ph}`;
  if (typeof ts !== 'number' || !(ts >= 0)) return 'no time';
  if (!isWhole(pid) || (ph !== 'C' && !isWhole(tid))) return 'no process or thread';
  if (ph !== 'E' && (typeof name !== 'string' || name === '')) return 'no name';
  if (ph === 'i' && !['g', 'p', 't'].includes(s ?? '')) return 'no scope';
  if (hasUnsafeNumber(args)) return 'a number that a double cannot hold';
  if (ph === 'C' && Object.values(args ?? {}).some((value) => typeof value !== 'number'))
    return 'no number to count';
  if (ph === 'C' && Object.keys(args ?? {}).length === 0) return 'nothing to count';
  if (ph === 'M' && typeof args?.['name'] !== 'string') return 'metadata without a name';
  return null;
}

/** What is wrong with a file; slices must nest within their thread, and times must not go back within it. */
export function faults(file: TraceFile): readonly string[] {
  const found: string[] = [];
  if (!['ns', 'ms'].includes(file.displayTimeUnit)) found.push('displayTimeUnit');
  const depth = new Map<string, number>();
  const last = new Map<string, number>();
  const named = new Set<string>();
  for (const [at, entry] of file.traceEvents.entries()) {
    const wrong = fault(entry);
    if (wrong !== null) found.push(`${at}: ${wrong}`);
    const thread = `${entry.pid} ${entry.tid}`;
    if (entry.ph === 'M') {
      named.add(thread);
      continue;
    }
    if (entry.ph === 'C') continue;
    if (entry.tid !== 0 && !named.has(thread)) found.push(`${at}: a thread without name`);
    if (entry.ts < (last.get(thread) ?? 0)) found.push(`${at}: time goes back`);
    last.set(thread, entry.ts);
    const now = (depth.get(thread) ?? 0) + (entry.ph === 'B' ? 1 : entry.ph === 'E' ? -1 : 0);
    if (now < 0) found.push(`${at}: an end without a beginning`);
    depth.set(thread, Math.max(now, 0));
  }
  return found;
}
