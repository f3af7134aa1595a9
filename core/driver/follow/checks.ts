import { Origin } from '../../event/kind.js';
import type { Choices } from '../../kernel/request.js';
import { Memory } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import { valueText, type RecordedLine } from '../recorded.js';
import { otherOrders, type OpenPackCall } from './orders.js';
import type { Scene } from './scene.js';

const same = (a: Address | null, b: Address | null): boolean =>
  a === null || b === null ? a === b : Address.equals(a, b);
const text = (at: Address | null): string => valueText(at ?? 0);

/** A chunk of a pack that is older than the recording: nothing is known of its pages. */
const forgetUnseen = (scene: Scene, at: Address, size: number, call: number): void => {
  const end = Address.add(at, size - 1).page + 1;
  for (let page: number = at.page; page < end; page++) {
    const memory = scene.memory();
    if (
      Memory.page(memory, page) !== null ||
      memory.unknown.some((u) => page >= u.page && page < u.page + u.pages)
    )
      continue;
    const why = 'holds code, but was mapped before the recording began';
    scene.emit({ kind: 'forgotten', page, pages: 1, why }, Origin.derived, call);
  }
};

/** Where an image was put, against first fit; `open`: other pack calls under way, whose order the lines leave open. */
export const checkChunk = (
  scene: Scene,
  { size, predicted }: Choices['chunk']['question'],
  answer: Address | null,
  open: readonly OpenPackCall[],
  line: RecordedLine,
  call: number,
): void => {
  if (same(predicted, answer)) return;
  const order = otherOrders(scene.memory(), open, size, answer);
  if (order !== null) {
    scene.chose('order');
    scene.chosen('order', order, text(predicted), call);
    return;
  }
  scene.adopted = true;
  scene.chosen('chunk', text(answer), text(predicted), call);
  if (answer === null) return scene.diverge('chunk', line, text(predicted), text(answer), call);
  const pack = Memory.packAt(scene.memory(), answer.page);
  if (pack === null) forgetUnseen(scene, answer, size, call);
  // Where the bitmap is not fully known, a first fit that passes over a hole proves the hole to be taken: no miss of the model.
  else if (!pack.partial) scene.diverge('chunk', line, text(predicted), text(answer), call);
};

/** Refused although there was room: somebody has lowered the limit since (bpf_jit_limit is not traced). */
export const checkCharge = (
  scene: Scene,
  { size, over }: Choices['charge']['question'],
  answer: number,
  call: number,
): void => {
  if (answer === 0 || over !== false) return;
  scene.adopted = true;
  scene.chosen('charge', String(answer), '0', call);
  const { charged } = scene.memory();
  // The least that explains it; from here on the limit is a bound, not a value.
  if (charged !== null)
    scene.emit({ kind: 'limit-set', bytes: Math.max(0, charged + size - 1), charged }, Origin.assumed, call);
};

/** Where an area was put, against the lowest fit. */
export const checkArea = (
  scene: Scene,
  { predicted, shared }: Choices['area']['question'],
  answer: Address | null,
  call: number,
): void => {
  if (predicted !== null && same(predicted, answer)) return;
  if (shared) return scene.chosen('area', text(answer), '', call);
  scene.adopted = true;
  scene.chosen('area', text(answer), text(predicted), call);
};
