import { canonicalFunction } from '../../core/driver/lines.js';
import type { TraceView } from '../log.js';

/** What the recording says of its probes. */
export interface Probes {
  /** Kernel functions that were probed. */
  readonly set: readonly string[];
  /** Functions that this kernel does not have, or has under no name that can be probed. */
  readonly absent: readonly string[];
  /** Probes that the kernel refused. */
  readonly failed: readonly string[];
  /** Calls that a probe missed, by function: they left no line. */
  readonly missed: Readonly<Record<string, number>>;
}

/** Parts that the compiler cut out of a function, or variants of one. */
const PARTS = /(?:\.(?:part|isra|constprop|cold)\.\d+)+$/;

/** The function that a probe on a symbol shows, by the name that events have. */
export const probedFunction = (symbol: string): string => canonicalFunction(symbol.replace(PARTS, ''));

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

const numbers = (value: unknown): Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).filter((one): one is [string, number] => typeof one[1] === 'number'),
      )
    : {};

/** Null: the recording does not say what was probed. */
export const probesOf = ({ info }: TraceView): Probes | null => {
  const probes = info.summary?.['probes'] as Readonly<Record<string, unknown>> | null | undefined;
  if (typeof probes !== 'object' || probes === null) return null;
  return {
    set: texts(probes['set']),
    absent: texts(probes['absent']),
    failed: texts(probes['failed']),
    missed: numbers(probes['missed']),
  };
};
