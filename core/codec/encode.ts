import type { Event } from '../event/event.js';
import { putDictionary } from './dictionary.js';
import { putField, type FieldWriter } from './fields.js';
import { gather, type Gathered, type Group } from './gather.js';
import { putHead } from './head.js';
import { check, putIntegers } from './integers.js';
import { COMMON, MAX_EVENTS } from './layout.js';
import { putLines } from './putLines.js';
import { putCalls } from './nesting.js';
import { newOutput, putBytes, putUint, type Output } from './output.js';
import { putShapeColumn, putShapes } from './shapes.js';
import { putTimes } from './times.js';

function isGapless(seq: Float64Array, count: number): boolean {
  for (let i = 1; i < count; i++) if (seq[i] !== (seq[i - 1] as number) + 1) return false;
  return true;
}

function putCommon(out: Output, gathered: Gathered, gapless: boolean): void {
  const { count, seq, time, cpu, task, origin, shape, shapes, texts } = gathered;
  putShapeColumn(out, shape, count, shapes.length);
  if (gapless) for (const end of [0, count - 1]) check(seq[end] as number, COMMON.seq);
  else putIntegers(out, seq, count, COMMON.seq);
  putTimes(out, time, count);
  putIntegers(out, cpu, count, COMMON.cpu);
  putIntegers(out, task, count, COMMON.task);
  putIntegers(out, origin, count, COMMON.origin);
  putCalls(out, { ...gathered, gapless }, count, texts.size);
}

/** Lengths of the blocks, so that a reader can pass over what it does not want. */
function putBlock(out: Output, block: Output): void {
  putUint(out, block.at);
  putBytes(out, block.bytes.subarray(0, block.at));
}

function putGroup(out: Output, { plan, events }: Group, writer: FieldWriter): void {
  writer.out.at = 0;
  for (const { name, type, get } of plan.columns) {
    try {
      putField(writer, type, events, get);
    } catch (error) {
      throw new RangeError(`${name} of ${plan.kind.kind} cannot be written`, { cause: error });
    }
  }
  putBlock(out, writer.out);
}

/** 1 to 4096 events as the bytes that docs/events.md describes: the same events give the same bytes, always and everywhere. */
export function encodeSegment(events: readonly Event[]): Uint8Array {
  const count = events.length;
  if (count < 1 || count > MAX_EVENTS)
    throw new RangeError(`a segment has 1 to ${MAX_EVENTS} events, not ${count}`);
  const gathered = gather(events);
  const { texts } = gathered;
  const groups = [...gathered.groups.values()].sort((a, b) => a.plan.kind.code - b.plan.kind.code);

  const body = newOutput(count * 16);
  const block = newOutput(count * 8);
  putShapes(body, gathered.shapes);
  const gapless = isGapless(gathered.seq, count);
  putCommon(body, gathered, gapless);
  if (gathered.words.length > 0) putLines(block, gathered);
  putBlock(body, block);
  const writer = { out: block, texts };
  for (const group of groups) putGroup(body, group, writer);

  const out = newOutput(body.at + 1024);
  putHead(out, { first: gathered.seq[0] as number, count, gapless });
  putDictionary(out, texts);
  putUint(out, groups.length);
  for (const { plan } of groups) {
    putUint(out, plan.kind.code);
    putUint(out, plan.kind.version);
  }
  putBytes(out, body.bytes.subarray(0, body.at));
  return out.bytes.slice(0, out.at);
}
