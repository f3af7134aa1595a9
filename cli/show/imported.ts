import { unknownRanges } from '../../replay/unknown.js';
import { mappings } from '../../replay/ranges.js';
import { archNamed } from '../../core/arch/arches.js';
import { portOf } from '../../core/arch/port.js';
import type { Profile } from '../../core/profile/profile.js';
import { Address } from '../../core/value/address.js';
import type { Contradiction } from '../../core/driver/follow/recognise.js';
import type { Imported } from '../../traces/import/import.js';
import type { Context } from '../console/context.js';
import { bytesText, grouped, percent } from '../../replay/numbers.js';
import { pairs } from '../console/table.js';
import { callsText } from './calls.js';
import { quoted } from './quoted.js';

const MOST = 10;

/** At most ten lines of a list, and how many are left. `total`: how many there are, where the list has the first of them only. */
export const some = (lines: readonly string[], total = lines.length): readonly string[] => {
  const shown = lines.slice(0, MOST);
  return shown.length === total ? shown : [...shown, `… and ${grouped(total - shown.length)} more`];
};

/** What a kernel is: in the words of its profile, which tell of x86-64, where the architecture has its packs. */
export const aboutText = (profile: Profile, archName: string): string => {
  const arch = archNamed(archName);
  return profile.allocator === 'pack' && arch !== null && portOf(profile, arch).allocator !== 'pack'
    ? `on ${arch.name} without packs: each function has an area of its own`
    : profile.about;
};

/** What an import found, for people. */
export function importLines(
  context: Context,
  { report, result, divergences, comparable, notes }: Imported,
  { path, again }: { readonly path: string; readonly again: boolean },
): readonly string[] {
  const { style } = context;
  const skipped = Object.entries(report.skipped);
  const skippedText = skipped.map(([reason, n]) => `${grouped(n)} skipped (${reason})`);
  const parts = [
    `${grouped(report.events)} events`,
    `${grouped(report.annotations)} annotations`,
    `${grouped(report.headers)} headers`,
    ...skippedText,
  ];
  const others = report.profiles_possible.filter((name) => name !== report.profile);
  const { info } = result.log;
  const isGiven = info.meta['given'] !== null;
  const each = info.events === 0 ? '' : `, ${(info.bytes / info.events).toFixed(1)} bytes an event`;
  const lines = [
    `${style.bold(report.trace)}: a recording of ${report.kernel} on ${report.arch}${again ? ', which was in the log already' : ''}`,
    '',
    ...pairs(
      [
        ['followed as', `${report.profile} (${aboutText(result.profile, report.arch)})`],
        ...(report.contradiction === undefined
          ? []
          : [['does not fit', style.bad(contradictionText(report.contradiction))] as const]),
        ...(others.length === 0 ? [] : [['also possible', others.join(', ')] as const]),
        ['lines', `${grouped(report.lines)} = ${parts.join(' + ')}`],
        [
          'lost',
          report.lost === 0
            ? 'nothing'
            : style.bad(`${grouped(report.lost)} events: what they did is unknown`),
        ],
        ...(result.probes === null
          ? []
          : [
              [
                'probes',
                `${grouped(result.probes.set.length)} functions; ${grouped(result.probes.absent.length)} absent or inlined, ${grouped(result.probes.failed.length)} refused`,
              ] as const,
            ]),
        ['calls', callsText(context, report.calls)],
        ['unknown', unknownText(context, result.memory, isGiven)],
        ['divergences', report.divergences === 0 ? 'none' : style.bad(grouped(report.divergences))],
        ['log', `${grouped(info.events)} events in ${bytesText(info.bytes)}${each}`],
        ['root', report.root],
      ],
      style.dim,
    ),
  ];
  const odd = [
    ...divergences.map(
      ({ id, line, fn, model, recorded }) =>
        `line ${line}: ${fn}: the model said ${model}, recorded is ${recorded} (${id}, see docs/divergences.md)`,
    ),
    ...notes,
  ];
  if (odd.length > 0) lines.push('', ...some(odd, odd.length - divergences.length + report.divergences));
  if (!context.settings.quiet) lines.push('', ...nextSteps(context.program, report.trace, path, comparable));
  return lines;
}

/** That the kernel followed is not the one recorded. */
export const contradictionText = ({ line, fn }: Contradiction): string =>
  `line ${grouped(line)} (${fn}) is none of this kernel: it is the nearest that is known, or was asked for; the model proves nothing here`;

const bytesIn = (ranges: readonly { readonly start: string; readonly end: string }[]): number =>
  ranges.reduce((sum, { start, end }) => {
    const [from, to] = [Address.parse(start), Address.parse(end)];
    return from === null || to === null ? sum : sum + Address.minus(to, from);
  }, 0);

/** What is not known at the end, and how much that is of what may be executed. */
function unknownText(context: Context, memory: Imported['result']['memory'], isGiven: boolean): string {
  const unknown = unknownRanges(memory);
  const bytes = bytesIn(unknown);
  const known = bytesIn(mappings(memory).filter(({ prot }) => prot.endsWith('x')));
  const why = [...new Set(unknown.map((range) => range.why))].join('; ');
  const pages = `${bytesText(bytes)} at the end, ${percent(bytes, bytes + known)} of what may be executed: ${why}`;
  const older = 'there was no dump to start from: what is older than the recording and not touched by it';
  const parts = [...(unknown.length === 0 ? [] : [pages]), ...(isGiven ? [] : [older])];
  return parts.length === 0 ? 'no page that matters, at the end' : context.style.odd(parts.join('; '));
}

const nextSteps = (program: string, trace: string, path: string, comparable: boolean): readonly string[] =>
  pairs([
    ...(comparable
      ? [['compare with the real kernel', `${program} conform ${quoted(trace)} ${quoted(path)}`] as const]
      : []),
    ['memory at the end', `${program} state ${quoted(trace)}`],
    ['step through it', `${program} shell ${quoted(trace)}`],
  ]);
