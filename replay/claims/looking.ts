/** Questions to a run that claims ask. */
import { resultOf, valueOf } from '../../core/audit/values.js';
import type { Event, EventOf } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { Memory, nothing } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { Prot } from '../../core/value/prot.js';
import type { EmulationRun } from '../emulation.js';

/** Calls of a function. */
export const callsOf = ({ events }: EmulationRun, fn: string): readonly EventOf<'entered'>[] =>
  events.filter((event): event is EventOf<'entered'> => event.kind === 'entered' && event.fn === fn);

/** What calls of a function that returns an `int` returned; null: a line without result. */
export const resultsOf = ({ events }: EmulationRun, fn: string): readonly (number | null)[] =>
  events
    .filter((event): event is EventOf<'returned'> => event.kind === 'returned' && event.fn === fn)
    .map(resultOf);

/** Pages that a permission call was asked to change, all calls together. */
export const pagesAsked = (run: EmulationRun, fn: string): number =>
  callsOf(run, fn).reduce((sum, event) => sum + (valueOf(event, 'numpages')?.lo ?? 0), 0);

/** Memory after the event with this number. */
export const memoryAt = (run: EmulationRun, seq: number): Memory =>
  evolveAll(evolveAll(nothing, run.given), run.events.slice(0, seq));

/** Number of the marker's event; 0: there is none. */
export const markerOf = ({ events }: EmulationRun, name: string): number =>
  events.find((event) => event.kind === 'marker' && event.text === `phase: ${name}`)?.seq ?? 0;

/** Pages whose present mapping has all of these bits and none of those. */
export const pagesWith = (memory: Memory, wanted: number, refused = 0): readonly number[] => {
  const pages: number[] = [];
  for (const [page, node, slot] of PageTable.pages(memory.virtual)) {
    const prot = node.prot[slot] as number;
    const bits = Prot.present | wanted;
    if ((prot & bits) === bits && (prot & refused) === 0) pages.push(page);
  }
  return pages;
};

/** Direct-map entries of the frames behind these pages. */
export const aliasesOf = (
  memory: Memory,
  pages: readonly number[],
): readonly { prot: number; shift: number }[] =>
  pages.flatMap((page) => {
    const frame = Memory.page(memory, page)?.frame ?? -1;
    const alias = frame < 0 ? null : Memory.alias(memory, frame);
    return alias === null ? [] : [{ prot: alias.prot, shift: alias.shift }];
  });

/** Direct-map pages that are present and not writable. */
export const readOnlyDirect = (memory: Memory): readonly number[] => {
  const frames: number[] = [];
  for (const [frame, node, slot] of PageTable.pages(memory.direct)) {
    const prot = node.prot[slot] as number;
    if (Prot.has(prot, Prot.present) && !Prot.has(prot, Prot.writable)) frames.push(frame);
  }
  return frames;
};

/** Splits of the direct map so far, up to an event. */
export const directSplits = ({ events }: EmulationRun, from = 0, to = Infinity): number =>
  events.filter(
    (event) => event.kind === 'split' && event.space === Space.direct && event.seq > from && event.seq <= to,
  ).length;

/** Names of the calls around an event, innermost first. */
export const callersOf = ({ events }: EmulationRun, event: Event): readonly string[] => {
  const names: string[] = [];
  for (let call = event.call; call !== 0;) {
    const around = events[call - 1];
    if (around?.kind !== 'entered') break;
    names.push(around.fn);
    call = around.call;
  }
  return names;
};

/** Number of broken findings of a rule. */
export const broken = ({ audited }: EmulationRun, rule: string): number =>
  audited.judged
    .filter((judged) => judged.rule.id === rule && judged.verdict === 'broken')
    .reduce((sum, { patterns }) => sum + patterns.reduce((n, { count }) => n + count, 0), 0);

/** Rules that are broken. */
export const brokenRules = ({ audited }: EmulationRun): readonly string[] =>
  audited.judged.filter(({ verdict }) => verdict === 'broken').map(({ rule }) => rule.id);
