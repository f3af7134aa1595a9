/** A comparison as SARIF 2.1.0 (OASIS), as CI and code scanning read it: one result a pattern of difference. */
import type { DifferenceCount, TraceComparison } from '../compareTraces.js';
import { momentText } from '../log.js';
import { grouped } from '../numbers.js';
import { sarifLog } from '../sarif.js';
import type { Side } from './differences.js';
import { DIFFERENCE_KINDS, type DifferenceKind } from './facts.js';
import { UNKNOWN } from './whole.js';

const TITLES: Readonly<Record<DifferenceKind, string>> = {
  permission: 'Another permission',
  split: 'A large leaf is split in one trace only',
  fill: 'Memory is filled otherwise',
  copy: 'Text is copied otherwise',
  mapping: 'Memory is mapped otherwise',
  flush: 'A flush in one trace only',
  pack: 'Packs are kept otherwise',
  area: 'An area is allocated or freed otherwise',
  program: 'A program lives otherwise',
  charge: 'Memory is charged otherwise',
  error: 'A call fails in one trace only',
  order: 'Another order',
  argument: 'A call gets another argument',
  result: 'A call gives another result',
  call: 'A root call in one trace only',
};

export interface ComparisonSarifOptions {
  /** Version of pagetrail. */
  readonly version: string;
  /** Name of the log's file. */
  readonly file: string;
  readonly exitCode: number;
}

const sideText = (trace: string, { seq, what }: Side): string =>
  `${trace}${seq === 0 ? '' : ` (event ${seq})`}: ${what ?? 'nothing'}`;

const messageOf = (
  names: Pick<TraceComparison, 'a' | 'b'>,
  { name, in: inside, only, count, example }: DifferenceCount,
): string =>
  [
    `${name}${inside === '' ? '' : ` in ${inside}`}: ${only === null ? 'in both traces, but not alike' : `only in ${names[only]}`}, ${count === 1 ? 'once' : `${grouped(count)} times`}.`,
    sideText(names.a, example.a),
    sideText(names.b, example.b),
  ].join('\n');

const resultOf = (names: Pick<TraceComparison, 'a' | 'b'>, file: string, found: DifferenceCount) => {
  const { kind, name, in: inside, only, count, example } = found;
  const which = only === 'b' || example.a.seq === 0 ? 'b' : 'a';
  const longer = example.a.calls.length >= example.b.calls.length ? example.a : example.b;
  const moment = momentText({ trace: names[which], seq: example[which].seq });
  return {
    ruleId: `diff/${kind}`,
    ruleIndex: DIFFERENCE_KINDS.indexOf(kind),
    kind: 'fail',
    level: 'warning',
    message: { text: messageOf(names, found) },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: encodeURIComponent(file), index: 0 } },
        logicalLocations: [
          { name: inside === '' ? name : inside, fullyQualifiedName: moment, kind: 'function' },
        ],
      },
    ],
    occurrenceCount: count,
    partialFingerprints: { 'pagetrailDifference/v1': [kind, name, inside, only ?? 'both'].join('/') },
    ...(longer.calls.length === 0
      ? {}
      : {
          stacks: [
            {
              message: { text: 'Calls around it, innermost first' },
              frames: longer.calls.map((fn) => ({
                location: { logicalLocations: [{ name: fn, kind: 'function' }] },
              })),
            },
          ],
        }),
    properties: { only: only === null ? null : names[only], a: example.a, b: example.b, rows: example.rows },
  };
};

/** The comparison as a SARIF log. Where events were lost and nothing differs the run says so in a notification. */
export const comparisonSarif = (
  comparison: TraceComparison,
  { version, file, exitCode }: ComparisonSarifOptions,
) => {
  const { a, b, compared, choices, follows, left_out, unknown } = comparison;
  return sarifLog({
    tool: {
      name: 'pagetrail diff',
      version,
      rules: DIFFERENCE_KINDS.map((kind) => ({
        id: `diff/${kind}`,
        shortDescription: { text: TITLES[kind] },
        defaultConfiguration: { level: 'warning' },
      })),
    },
    exitCode,
    warnings: unknown ? [UNKNOWN] : [],
    file: { uri: encodeURIComponent(file), about: `The log that holds traces ${a} and ${b}` },
    results: comparison.kinds.map((found) => resultOf({ a, b }, file, found)),
    properties: { a, b, compared, choices, follows, left_out },
  });
};
