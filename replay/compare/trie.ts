/** Shapes by their steps: each step leads from one state to the next, and the same steps always to the same state. */
import type { Part, Shape, Step } from './shape.js';

export interface State {
  readonly before: State | null;
  /** What led here. */
  readonly token: number;
  /** The successor met last, and all of them where there are several. */
  lastToken: number;
  lastNext: State | null;
  all: Map<number, State> | null;
  /** Number of the shape that ends here; 0: it has none yet. */
  id: number;
  /** The round in which it got its number. */
  round: number;
}

/** A token is a part, the call that is gone on in, or the forms of values. */
const KINDS = 4;
const PART = 0;
const AT = 1;
const FORMS = 2;
export const partToken = (part: number): number => part * KINDS + PART;
export const atToken = (node: number): number => node * KINDS + AT;
export const formsToken = (forms: number): number => forms * KINDS + FORMS;

/** Forms of several values as one number: four bits each. */
export const FORM_BASE = 16;
/** So many fit into one token. */
export const MOST_FORMS = 12;

const newState = (before: State | null, token: number): State => ({
  before,
  token,
  lastToken: -1,
  lastNext: null,
  all: null,
  id: 0,
  round: 0,
});

/** So many states are kept; then they are made anew. */
const MOST_STATES = 1 << 16;

export interface Trie {
  readonly start: () => State;
  /** Forgets everything where there are too many states. Numbers given before mean nothing afterwards. */
  readonly renew: () => void;
  readonly next: (state: State, token: number) => State;
  /** The number of the shape that ends at a state; `isNew` says whether it has to be told. */
  readonly shapeAt: (state: State) => { readonly id: number; readonly isNew: boolean };
  /** Goes up when everything was forgotten. */
  readonly round: () => number;
}

export const newTrie = (most = MOST_STATES): Trie => {
  let first = newState(null, -1);
  let states = 0;
  let ids = 0;
  let round = 1;
  const follow = (state: State, token: number): State => {
    let next = state.all?.get(token);
    if (next === undefined) {
      next = newState(state, token);
      states++;
      if (state.lastNext !== null && state.all === null)
        state.all = new Map([[state.lastToken, state.lastNext]]);
      state.all?.set(token, next);
    }
    state.lastToken = token;
    state.lastNext = next;
    return next;
  };
  return {
    start: () => first,
    renew: () => {
      if (states <= most) return;
      first = newState(null, -1);
      states = 0;
      round++;
    },
    next: (state, token) => (state.lastToken === token ? (state.lastNext as State) : follow(state, token)),
    shapeAt: (state) => {
      const isNew = state.round !== round;
      if (isNew) {
        state.id = ++ids;
        state.round = round;
      }
      return { id: state.id, isNew };
    },
    round: () => round,
  };
};

const formsOf = (tokens: readonly number[], count: number): readonly number[] => {
  const forms: number[] = [];
  for (const token of tokens) {
    const group: number[] = [];
    let rest = Math.floor(token / KINDS);
    for (let i = Math.min(count - forms.length, MOST_FORMS); i > 0; i--) {
      group.unshift(rest % FORM_BASE);
      rest = Math.floor(rest / FORM_BASE);
    }
    forms.push(...group);
  }
  return forms;
};

const valuesIn = (part: Part): number =>
  part.part === 'fact' ? (part.hasPlace ? 1 : 0) : part.columns.length;

/** The shape that ends at a state. `parts`: by their numbers. */
export const shapeOf = (state: State, parts: readonly Part[]): Shape => {
  const tokens: number[] = [];
  for (let at: State | null = state; at !== null && at.before !== null; at = at.before) tokens.push(at.token);
  tokens.reverse();
  const steps: Step[] = [];
  const around: number[] = [];
  let node = -1;
  for (let i = 0; i < tokens.length;) {
    const token = tokens[i] as number;
    if (token % KINDS === AT) {
      node = Math.floor(token / KINDS);
      i++;
      continue;
    }
    const part = parts[Math.floor(token / KINDS)] as Part;
    const forms: number[] = [];
    for (i++; i < tokens.length && (tokens[i] as number) % KINDS === FORMS; i++)
      forms.push(tokens[i] as number);
    const count = valuesIn(part);
    const own = forms.length === 0 ? new Array<number>(count).fill(0) : formsOf(forms, count);
    steps.push({ part, node, forms: own });
    if (part.part === 'enter') {
      around.push(node);
      node = around.length - 1;
    } else if (part.part === 'return') node = around[node] ?? -1;
  }
  return { steps };
};
