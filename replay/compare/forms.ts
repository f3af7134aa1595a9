/** What is known of the call lines of each form, made once for all lines of it. */
import type { LineForm } from '../../core/codec/walk.js';
import { canonicalFunction } from '../../core/driver/lines.js';
import { insideAlone, isByTheWay, isOurs, type Inside } from './calls.js';
import { columnsOf, type LineColumn } from './columns.js';
import { Placed, slotsOf, TEXT, type Part } from './shape.js';

export interface FormKnown {
  readonly isEntry: boolean;
  readonly fn: string;
  readonly columns: readonly LineColumn[];
  /** None of its values may be an address. */
  readonly isPlain: boolean;
  /** Slots of a line, at most. */
  readonly most: number;
  readonly inside: Inside;
  readonly isByTheWay: boolean;
  readonly isOurs: boolean;
  /** By what stands around: whether it stands for itself. */
  readonly keeps: Map<string, boolean>;
  /** Numbers of its parts where it stands for itself and where it does not, by the call looked through around it. */
  readonly kept: Map<string | null, number>;
  readonly lookedThrough: Map<string | null, number>;
}

export interface Forms {
  readonly of: (form: LineForm) => FormKnown;
  /** Number of the part of a line: of an entry by what is around it, of a return with null. */
  readonly part: (form: FormKnown, isKept: boolean, via: string | null) => number;
}

const known = ({ kind, fn: recorded, names }: LineForm): FormKnown => {
  const fn = canonicalFunction(recorded);
  const columns = columnsOf({ kind, fn: recorded, names });
  return {
    isEntry: kind === 'entered',
    fn,
    columns,
    isPlain: columns.every(({ address }) => address === 'never'),
    most: 1 + columns.length * slotsOf(Placed.code | TEXT),
    inside: insideAlone(fn),
    isByTheWay: isByTheWay(fn),
    isOurs: isOurs(fn),
    keeps: new Map(),
    kept: new Map(),
    lookedThrough: new Map(),
  };
};

/** `add` puts a part down and gives its number. */
export const newForms = (add: (part: Part) => number): Forms => {
  const forms = new Map<string, FormKnown>();
  return {
    of: (form) => {
      const key = `${form.kind} ${form.fn} ${form.names}`;
      let own = forms.get(key);
      if (own === undefined) forms.set(key, (own = known(form)));
      return own;
    },
    part: (form, isKept, via) => {
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
      return number;
    },
  };
};
