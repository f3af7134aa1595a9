/**
 * What a root call would still have done, by the model, when the model and the recording part: the calls are run to their end against a copy of
 * memory. What the lines that follow show is taken off; what is left when the root call ends was not recorded, and is unknown.
 */
import type { Fact } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import { Space } from '../../event/pages.js';
import type { ChooseRequest, Request } from '../../kernel/request.js';
import { BLOCK, ContentClass } from '../../memory/content.js';
import { Memory, NO_FRAME } from '../../memory/memory.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import { ANSWERS, type AnswerContext } from './answers.js';
import { innermost, type Context } from './context.js';
import type { Scene } from './scene.js';

/** A run that has not ended by then never will. */
const MOST_STEPS = 50_000;
const NO_BYTES = new Uint8Array(0);

/** Once they have begun, these give back what they were given: the model's word for it is taken. */
const FREES: ReadonlySet<string> = new Set([
  'bpf_jit_free',
  'bpf_jit_binary_free',
  'bpf_jit_binary_pack_free',
  'bpf_prog_pack_free',
  'bpf_jit_free_exec',
  'module_memfree',
  'execmem_free',
  'vfree',
  'vfree_atomic',
]);

interface PageChange {
  readonly space: number;
  readonly page: number;
  times: number;
}

/** What is not known to have happened yet. */
export interface Doubt {
  /** By space, page and bits. */
  readonly pages: Map<string, PageChange>;
  /** Text copied or filled, by its place. */
  readonly text: Map<string, { readonly to: Address; readonly length: number }>;
  /** What is given back, by what and where; with the age of the area it was. */
  readonly given: Map<string, { readonly fact: Fact; readonly since: number }>;
  /** Bytes charged or uncharged. */
  charge: number;
  /** The root call, or one inside it, had begun to give something back. */
  readonly frees: boolean;
}

const pageKey = (space: number, page: number, set: number, clear: number): string =>
  `${space} ${page} ${set} ${clear}`;
const textKey = (to: Address, length: number): string => `${Address.toText(to)} ${length}`;

const givenKey = (fact: Fact): string | null => {
  switch (fact.kind) {
    case 'unmapped':
      return `unmapped ${fact.page}`;
    case 'area-freed':
    case 'frames-released':
    case 'pack-removed':
      return `${fact.kind} ${fact.start}`;
    case 'chunk-freed':
      return `chunk-freed ${Address.toText(fact.at)}`;
    case 'program-freed':
      return `program-freed ${fact.program}`;
    default:
      return null;
  }
};

/** The first page of the area that a fact is about; null: it is about none. */
const areaOf = (fact: Fact): number | null => {
  if (fact.kind === 'unmapped') return fact.page;
  return fact.kind === 'area-freed' || fact.kind === 'frames-released' ? fact.start : null;
};

const sinceOf = (memory: Memory, fact: Fact): number => {
  const page = areaOf(fact);
  return page === null ? 0 : (Memory.areaAt(memory, page)?.since ?? 0);
};

const add = (doubt: Doubt, memory: Memory, fact: Fact): void => {
  const key = givenKey(fact);
  if (key !== null) doubt.given.set(key, { fact, since: sinceOf(memory, fact) });
  else if (fact.kind === 'charged') doubt.charge += fact.bytes;
  else if (fact.kind === 'copied' || fact.kind === 'filled')
    doubt.text.set(textKey(fact.to, fact.length), { to: fact.to, length: fact.length });
  else if (fact.kind === 'permission')
    for (let { page } = fact; page < fact.page + fact.pages; page++) {
      const at = pageKey(fact.space, page, fact.set, fact.clear);
      const change = doubt.pages.get(at);
      if (change === undefined) doubt.pages.set(at, { space: fact.space, page, times: 1 });
      else change.times++;
    }
};

/** A line has shown that this happened. */
export const shown = (doubt: Doubt, fact: Fact): void => {
  const key = givenKey(fact);
  if (key !== null) doubt.given.delete(key);
  else if (fact.kind === 'copied' || fact.kind === 'filled') doubt.text.delete(textKey(fact.to, fact.length));
  else if (fact.kind === 'permission')
    for (let { page } = fact; page < fact.page + fact.pages; page++) {
      const at = pageKey(fact.space, page, fact.set, fact.clear);
      const change = doubt.pages.get(at);
      if (change === undefined) continue;
      if (change.times > 1) change.times--;
      else doubt.pages.delete(at);
    }
};

/** Without lines to answer from: nothing more of what nobody can know. */
const answer = (request: ChooseRequest, given: AnswerContext): unknown => {
  if (request.what === 'frames') return null;
  if (request.what === 'more') return false;
  const line = request.what === 'frame' ? (given.root ?? given.line) : given.line;
  const from = { ...given, line };
  return (ANSWERS[request.what] as (question: unknown, context: AnswerContext) => unknown)(
    request.question,
    from,
  );
};

/** Runs the open calls of a root call to their end, which leaves them used up. Choices are answered from the line that the model did not expect. */
export const doubtOf = (scene: Scene, context: Context, given: AnswerContext): Doubt => {
  const { calls, pending } = context;
  const doubt: Doubt = {
    pages: new Map(),
    text: new Map(),
    given: new Map(),
    charge: 0,
    frees: calls.some(({ fn }) => FREES.has(fn.name)),
  };
  const before = scene.memory();
  const { kernel } = scene;
  scene.rehearse((state) => {
    const stack: Generator<Request, unknown, never>[] = calls.map(({ generator }) => generator);
    let value: unknown;
    const ask = (request: ChooseRequest): unknown => answer(request, { ...given, memory: kernel.memory() });
    if (pending === null) return;
    if (pending.kind === 'call') stack.push(pending.request.fn.body(kernel, pending.request.args));
    else if (pending.kind === 'choose') value = ask(pending.request);
    else if (pending.kind === 'return') {
      stack.pop();
      value = pending.call.result;
    }
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const top = stack.at(-1);
      if (top === undefined) return;
      const step = top.next(value as never);
      value = undefined;
      if (step.done === true) {
        stack.pop();
        value = step.value;
        continue;
      }
      const request = step.value;
      if (request.request === 'call') stack.push(request.fn.body(kernel, request.args));
      else if (request.request === 'choose') value = ask(request);
      else if (request.request === 'state') {
        add(doubt, before, request.fact);
        value = state(request.fact);
      }
    }
  });
  return doubt;
};

/** Pages in runs. */
function* runsOf(pages: Iterable<number>): Generator<{ readonly page: number; readonly pages: number }> {
  let first = -1;
  let end = -1;
  for (const page of [...new Set(pages)].sort((a, b) => a - b)) {
    if (page !== end) {
      if (end > first) yield { page: first, pages: end - first };
      first = page;
    }
    end = page + 1;
  }
  if (end > first) yield { page: first, pages: end - first };
}

/** Content of a range of virtual memory that may have been written. */
function* unwritten(memory: Memory, to: Address, length: number): Generator<Fact> {
  for (let done = 0; done < length;) {
    const at = Address.add(to, done);
    const part = Math.min(length - done, PAGE_SIZE - at.offset);
    const frame = Memory.page(memory, at.page)?.frame ?? NO_FRAME;
    const block = Math.floor(at.offset / BLOCK);
    const blocks = Math.ceil((at.offset + part) / BLOCK) - block;
    if (frame !== NO_FRAME)
      yield { kind: 'content', frame, block, blocks, class: ContentClass.unknown, ref: 0, bytes: NO_BYTES };
    done += part;
  }
}

/** Whether what was to be given back is still what it was. */
const stillThere = (memory: Memory, { given }: Doubt, fact: Fact, since: number): boolean => {
  const page = areaOf(fact);
  if (page !== null) return Memory.areaAt(memory, page)?.since === since || fact.kind === 'frames-released';
  if (fact.kind !== 'chunk-freed') return true;
  const program = Memory.programAt(memory, fact.at);
  return program === null || given.has(`program-freed ${program.number}`);
};

/** The root call has ended: what no line has shown is said, or unknown from here on. */
export const settle = (scene: Scene, context: Context): void => {
  const { doubt } = context;
  if (doubt === null) return;
  context.doubt = null;
  const call = innermost(context);
  const why = `what ${context.root.fn} did was not recorded`;
  const say = (fact: Fact): void => {
    scene.emit(fact, Origin.derived, call);
  };
  for (const { to, length } of doubt.text.values())
    for (const fact of unwritten(scene.memory(), to, length)) say(fact);
  const changed = [...doubt.pages.values()];
  const of = (space: number): number[] => changed.filter((c) => c.space === space).map((c) => c.page);
  for (const { page, pages } of runsOf(of(Space.virtual))) say({ kind: 'forgotten', page, pages, why });
  for (const { page, pages } of runsOf(of(Space.direct)))
    for (let pfn = page; pfn < page + pages; pfn++) {
      const alias = Memory.alias(scene.memory(), pfn);
      if (alias !== null)
        say({ kind: 'direct-mapped', page: pfn, pages: 1, shift: alias.shift, prot: Prot.nothingKnown });
    }
  if (!doubt.frees) {
    // An area that may have been given back is there as far as is known; its pages may not be.
    for (const { fact } of doubt.given.values())
      if (fact.kind === 'unmapped') say({ kind: 'forgotten', page: fact.page, pages: fact.pages, why });
  } else
    for (const { fact, since } of doubt.given.values())
      if (stillThere(scene.memory(), doubt, fact, since)) say(fact);
  const { charged, limit } = scene.memory();
  if (doubt.charge === 0 || charged === null) return;
  if (doubt.frees) say({ kind: 'charged', bytes: doubt.charge });
  else if (limit !== null) say({ kind: 'limit-set', bytes: limit, charged: -1 });
};
