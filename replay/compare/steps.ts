/** Puts the steps of root calls into their slots and shapes. */
import type { Line } from '../../core/codec/walk.js';
import type { EventKind } from '../../core/event/event.js';
import { Address } from '../../core/value/address.js';
import { isPointer } from './addresses.js';
import { reserve } from './builder.js';
import type { OpenRoot } from './calls.js';
import type { Told } from './facts.js';
import type { FormKnown } from './forms.js';
import type { Places } from './places.js';
import { Placed, slotsOf, TEXT, type Part } from './shape.js';
import { atToken, FORM_BASE, formsToken, MOST_FORMS, partToken, type Trie } from './trie.js';

export interface Steps {
  /** A call is entered in the one of number `around`. Gives its own number. */
  readonly enter: (root: OpenRoot, around: number, part: number, seq: number) => number;
  /** The call of number `node` returns into the one of number `around`. */
  readonly leave: (root: OpenRoot, node: number, around: number, part: number) => void;
  /** The values of the line that was entered or left last. */
  readonly values: (root: OpenRoot, form: FormKnown, line: Line) => void;
  readonly fact: (
    root: OpenRoot,
    node: number,
    event: { readonly kind: EventKind; readonly seq: number },
    told: Told,
    via: string | null,
  ) => void;
}

/** Facts about neighbouring memory, told one after the other, are one: whether this one went into the last of its call. */
const merged = (root: OpenRoot, node: number, number: number, { values, run }: Told): boolean => {
  const at = root.lastFact[node] ?? -1;
  if (run === null || at < 0 || root.lastPart[node] !== number) return false;
  const { slots } = root;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number | string;
    const slot = slots[at + 1 + i] as number;
    if ((typeof value === 'string' ? root.texts[slot] : slot) !== value) return false;
  }
  const end = at + 1 + values.length;
  const first = Address.of(slots[end] as number, slots[end + 1]);
  const bytes = slots[end + 2] as number;
  if (Address.minus(run.first, first) !== bytes) return false;
  slots[end + 2] = bytes + run.bytes;
  return true;
};

/** Numbers of the parts of facts of one kind. */
interface FactParts {
  key: string;
  via: string | null;
  part: number;
  readonly all: Map<string, number>;
}

/** `add` puts a part down and gives its number. */
export const stepsIn = (trie: Trie, places: Places, add: (part: Part) => number): Steps => {
  const goOnIn = (root: OpenRoot, node: number): void => {
    if (root.node === node) return;
    root.state = trie.next(root.state, atToken(node));
    root.node = node;
  };

  const putValues = (root: OpenRoot, form: FormKnown, line: Line): void => {
    reserve(root, form.most);
    const { slots } = root;
    const { hi, lo, first } = line;
    // Then its forms need no telling.
    const isPlain = form.isPlain && !line.hasTexts;
    let { used } = root;
    let told = 0;
    let group = 0;
    for (const { index, address } of form.columns) {
      const high = hi[first + index] ?? 0;
      const low = lo[first + index] ?? 0;
      slots[used] = high;
      slots[used + 1] = low;
      let own: number = Placed.none;
      if (address === 'always' || (address === 'maybe' && isPointer(high, low)))
        own = places.put(high, low, slots, used + 2);
      used += slotsOf(own);
      const text = line.hasTexts ? line.text(index) : null;
      if (text !== null) {
        slots[used++] = root.texts.push(text) - 1;
        own |= TEXT;
      }
      if (isPlain) continue;
      told = told * FORM_BASE + own;
      if (++group < MOST_FORMS) continue;
      root.state = trie.next(root.state, formsToken(told));
      told = 0;
      group = 0;
    }
    if (group > 0) root.state = trie.next(root.state, formsToken(told));
    root.used = used;
  };

  /** By kind: the part met last and all of them. */
  const factParts = new Map<EventKind, FactParts>();
  const factPart = (kind: EventKind, told: Told, via: string | null): number => {
    let known = factParts.get(kind);
    if (known === undefined) factParts.set(kind, (known = { key: '', via: null, part: -1, all: new Map() }));
    const { key } = told;
    if (known.part >= 0 && known.key === key && known.via === via) return known.part;
    const name = `${key}|${via ?? ''}`;
    let part = known.all.get(name);
    if (part === undefined) {
      const { makes, names, values, place, run } = told;
      part = add({
        part: 'fact',
        kind,
        makes,
        key,
        via,
        fields: names.map((field, i) => [field, typeof values[i] === 'string']),
        hasPlace: place !== null,
        hasRun: run !== null,
      });
      known.all.set(name, part);
    }
    known.key = key;
    known.via = via;
    known.part = part;
    return part;
  };

  return {
    enter: (root, around, part, seq) => {
      goOnIn(root, around);
      if (around >= 0) root.lastFact[around] = -1;
      root.lastPart.push(-1);
      root.state = trie.next(root.state, partToken(part));
      root.node = root.lastFact.push(-1) - 1;
      reserve(root, 1);
      root.slots[root.used++] = seq;
      return root.node;
    },
    leave: (root, node, around, part) => {
      goOnIn(root, node);
      root.state = trie.next(root.state, partToken(part));
      root.node = around;
    },
    values: putValues,
    fact: (root, node, { kind, seq }, told, via) => {
      const number = factPart(kind, told, via);
      if (merged(root, node, number, told)) return;
      goOnIn(root, node);
      const { values: own, place, run } = told;
      reserve(root, 4 + own.length + slotsOf(Placed.code));
      root.lastFact[node] = root.used;
      root.lastPart[node] = number;
      const { slots } = root;
      slots[root.used++] = seq;
      for (const value of own)
        slots[root.used++] = typeof value === 'string' ? root.texts.push(value) - 1 : value;
      if (run !== null) {
        slots[root.used++] = run.first.page;
        slots[root.used++] = run.first.offset;
        slots[root.used++] = run.bytes;
      }
      root.state = trie.next(root.state, partToken(number));
      if (place === null) return;
      const hi = Address.hi(place);
      const lo = Address.lo(place);
      slots[root.used] = hi;
      slots[root.used + 1] = lo;
      const form = places.put(hi, lo, slots, root.used + 2);
      root.used += slotsOf(form);
      root.state = trie.next(root.state, formsToken(form));
    },
  };
};
