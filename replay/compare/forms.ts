/** What is known of the call lines of each form, made once for all lines of it. */
import type { LineForm } from '../../core/codec/walk.js';
import { canonicalFunction } from '../../core/driver/lines.js';
import { insideAlone, isByTheWay, isOurs, type Inside } from './calls.js';
import { columnsOf, type LineColumn } from './columns.js';
import { Placed, slotsOf, TEXT, type Part } from './shape.js';
import type { Asked, Learning, Projection } from './shown.js';

export interface FormKnown {
  readonly isEntry: boolean;
  readonly fn: string;
  /** Of an entry: the number by which is learned what the trace shows. */
  readonly number: number;
  readonly columns: readonly LineColumn[];
  /** None of its values may be an address. */
  readonly isPlain: boolean;
  /** Slots of a line, at most. */
  readonly most: number;
  readonly inside: Inside;
  readonly isByTheWay: boolean;
  readonly isOurs: boolean;
  /** By what stands around: whether it stands for itself. The answer given last is at hand. */
  readonly keeps: Map<string, boolean>;
  lastCaller: string | null;
  lastKept: boolean;
  /** Numbers of its parts where it stands for itself and where it does not, by the call looked through around it. */
  readonly kept: Map<string | null, number>;
  readonly lookedThrough: Map<string | null, number>;
  /** The number given last of those where it stands for itself; -1: none. */
  lastVia: string | null;
  lastPart: number;
}

export interface Forms {
  readonly of: (form: LineForm) => FormKnown;
  /** Whether a line stands for itself under a caller. */
  readonly keeps: (form: FormKnown, caller: string) => boolean;
  /** What the projection was asked so far. */
  readonly asked: () => Asked;
  /** Number of the part of a line: of an entry by what is around it, of a return with null. */
  readonly part: (form: FormKnown, isKept: boolean, via: string | null) => number;
}

const known = ({ kind, fn: recorded, names }: LineForm, learning: Learning): FormKnown => {
  const fn = canonicalFunction(recorded);
  const columns = columnsOf({ kind, fn: recorded, names });
  return {
    isEntry: kind === 'entered',
    fn,
    number: kind === 'entered' ? learning.number(fn) : 0,
    columns,
    isPlain: columns.every(({ address }) => address === 'never'),
    most: 1 + columns.length * slotsOf(Placed.code | TEXT),
    inside: insideAlone(fn),
    isByTheWay: isByTheWay(fn),
    isOurs: isOurs(fn),
    keeps: new Map(),
    lastCaller: null,
    lastKept: false,
    kept: new Map(),
    lookedThrough: new Map(),
    lastVia: null,
    lastPart: -1,
  };
};

/** `add` puts a part down and gives its number. */
export const newForms = (projection: Projection, learning: Learning, add: (part: Part) => number): Forms => {
  const forms = new Map<string, FormKnown>();
  const asked: (readonly [string, string, boolean])[] = [];
  return {
    of: (form) => {
      const key = `${form.kind} ${form.fn} ${form.names}`;
      let own = forms.get(key);
      if (own === undefined) forms.set(key, (own = known(form, learning)));
      return own;
    },
    asked: () => asked,
    keeps: (form, caller) => {
      if (form.lastCaller === caller) return form.lastKept;
      let kept = form.keeps.get(caller);
      if (kept === undefined) {
        kept = projection.keeps(caller, form.fn);
        asked.push([caller, form.fn, kept]);
        form.keeps.set(caller, kept);
      }
      form.lastCaller = caller;
      form.lastKept = kept;
      return kept;
    },
    part: (form, isKept, via) => {
      if (isKept && form.lastPart >= 0 && form.lastVia === via) return form.lastPart;
      const numbers = isKept ? form.kept : form.lookedThrough;
      let number = numbers.get(via);
      if (number === undefined) {
        const { fn } = form;
        const columns = isKept
          ? form.columns.map(({ name, class: own, signed }) => ({ name, class: own, signed }))
          : [];
        number = add(
          form.isEntry ? { part: 'enter', fn, isKept, via, columns } : { part: 'return', columns },
        );
        numbers.set(via, number);
      }
      if (isKept) {
        form.lastVia = via;
        form.lastPart = number;
      }
      return number;
    },
  };
};
