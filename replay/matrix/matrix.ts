/** One workload on several kernels and architectures, side by side. */
import type { Arch } from '../../core/arch/arch.js';
import { gradeOf } from '../../core/profile/grade.js';
import type { Profile } from '../../core/profile/profile.js';
import type { Workload } from '../../core/workload/workload.js';
import { runEmulation } from '../emulation.js';
import type { Figures } from './measure.js';

/** A kernel on an architecture (`profile` is the architecture's port), or why it is not run. */
export interface MatrixKernel {
  readonly kernel: string;
  readonly arch: string;
  readonly run: { readonly profile: Profile; readonly arch: Arch } | null;
  /** Why it never existed; null: it did. */
  readonly missing: string | null;
}

export interface MatrixCell {
  readonly kernel: string;
  readonly arch: string;
  /** How sure the model is of this kernel here. */
  readonly grade: string | null;
  readonly missing: string | null;
  /** Null: it was not run. */
  readonly figures: Figures | null;
  /** Rules of the audit that are broken, with how often. */
  readonly broken: Readonly<Record<string, number>>;
}

export interface MatrixOptions {
  readonly seed?: number;
  readonly nodes?: number;
  /** Before each cell is run. */
  readonly progress?: (kernel: string, arch: string) => void;
}

/** Every machine starts empty: a boot state of the workload belongs to the kernel it was recorded on. */
const bare = ({ boot, ...workload }: Workload): Workload =>
  boot?.jit_limit === undefined
    ? workload
    : { ...workload, boot: { jit_limit: boot.jit_limit, jit_charged: 0, areas: [], packs: [] } };

export const matrixOf = (
  workload: Workload,
  kernels: readonly MatrixKernel[],
  options: MatrixOptions = {},
): readonly MatrixCell[] =>
  kernels.map(({ kernel, arch, run, missing }) => {
    if (run === null) return { kernel, arch, grade: null, missing, figures: null, broken: {} };
    options.progress?.(kernel, arch);
    const done = runEmulation({
      workload: bare(workload),
      ...run,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    });
    const broken = Object.fromEntries(
      done.audited.judged
        .filter(({ verdict }) => verdict === 'broken')
        .map(({ rule, patterns }) => [rule.id, patterns.reduce((sum, { count }) => sum + count, 0)]),
    );
    const grade = gradeOf(run.profile, arch, 'normal');
    return { kernel, arch, grade, missing, figures: done.figures, broken };
  });

/** A figure of a cell as people read it. */
export interface MatrixRow {
  readonly name: string;
  /** What it counts. */
  readonly unit: string;
  readonly of: (figures: Figures, cell: MatrixCell) => number | string;
}

const pagesText = (pages: Figures['pages']): string => {
  const parts = Object.entries(pages).map(([bytes, count]) => {
    const kib = Number(bytes) / 1024;
    return `${count} x ${kib >= 1024 ? `${kib / 1024}M` : `${kib}K`}`;
  });
  return parts.length === 0 ? 'none' : parts.join(', ');
};

/** All figures, in the order of the table. */
export const MATRIX_ROWS: readonly MatrixRow[] = [
  { name: 'code and tables, at most', unit: 'bytes', of: ({ memory }) => memory.used },
  { name: 'areas held for them', unit: 'bytes', of: ({ memory }) => memory.held },
  { name: 'wasted', unit: 'bytes', of: ({ memory }) => memory.wasted },
  { name: 'areas allocated', unit: '', of: ({ areas }) => areas.allocated },
  { name: 'areas at once', unit: '', of: ({ areas }) => areas.most },
  { name: 'executable pages', unit: '', of: ({ pages }) => pagesText(pages) },
  { name: 'permission calls', unit: '', of: ({ permission_calls }) => permission_calls },
  { name: 'splits of code pages', unit: '', of: ({ splits }) => splits.primary },
  { name: 'splits of the direct map', unit: '', of: ({ splits }) => splits.direct_map },
  { name: 'merges', unit: '', of: ({ collapses }) => collapses },
  { name: 'TLB flushes, all', unit: '', of: ({ tlb_flushes }) => tlb_flushes.global },
  { name: 'TLB flushes, ranged', unit: '', of: ({ tlb_flushes }) => tlb_flushes.ranged },
  { name: 'iTLB entries of live code', unit: '', of: ({ itlb_entries }) => itlb_entries },
  { name: 'executable, never written', unit: 'bytes', of: ({ never_written }) => never_written },
  { name: 'executable, of freed code', unit: 'bytes', of: ({ of_freed }) => of_freed },
  { name: 'W+X at once', unit: 'pages', of: ({ writable_executable }) => writable_executable.pages },
  { name: 'W+X for', unit: 'events', of: ({ writable_executable }) => writable_executable.steps },
  { name: 'r-x, alias writable', unit: 'pages', of: ({ direct_map }) => direct_map.writable },
  { name: 'r-x, alias executable', unit: 'pages', of: ({ direct_map }) => direct_map.executable },
  { name: 'direct map read-only', unit: 'pages', of: ({ direct_map }) => direct_map.read_only },
  { name: 'results checked', unit: 'calls', of: ({ results }) => results.checked },
  { name: 'results only warned of', unit: 'calls', of: ({ results }) => results.warned },
  { name: 'results ignored', unit: 'calls', of: ({ results }) => results.ignored },
  {
    name: 'rules broken',
    unit: '',
    of: (_figures, { broken }) => {
      const rules = Object.keys(broken);
      return rules.length === 0 ? 'none' : rules.join(' ');
    },
  },
  { name: 'events', unit: '', of: ({ events }) => events },
];
