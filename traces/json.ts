import { fail, ok, type Result } from '../core/value/failure.js';

const TOKEN =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:(?!["\\])[\u0020-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing more';

/** What comes after a complete value inside `open`. */
const after = (open: string | undefined): Expected => (open === undefined ? 'nothing more' : ', or end');

/** Offset of the first character that keeps `text` from being JSON, and what belongs there. Node 20 does not always say. */
const firstFault = (text: string): { readonly at: number; readonly expected: Expected } => {
  const open: string[] = [];
  let expected: Expected = 'value';
  TOKEN.lastIndex = 0;
  for (let at = 0; ; at = TOKEN.lastIndex) {
    const m = TOKEN.exec(text);
    const mark = m?.[1];
    const isString = m?.[2] !== undefined;
    const start = at + (/^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0);
    const fault = { at: start, expected };
    if (m === null || expected === 'nothing more') return fault;
    if (expected === 'value' || expected === 'value or ]') {
      if (mark === '{' || mark === '[') {
        open.push(mark);
        expected = mark === '{' ? 'key or }' : 'value or ]';
      } else if (mark === undefined) expected = after(open.at(-1));
      else if (mark === ']' && expected === 'value or ]') {
        open.pop();
        expected = after(open.at(-1));
      } else return fault;
    } else if (expected === 'key' || expected === 'key or }') {
      if (isString) expected = ':';
      else if (mark === '}' && expected === 'key or }') {
        open.pop();
        expected = after(open.at(-1));
      } else return fault;
    } else if (expected === ':') {
      if (mark !== ':') return fault;
      expected = 'value';
    } else if (mark === ',') expected = open.at(-1) === '{' ? 'key' : 'value';
    else if (mark === (open.at(-1) === '{' ? '}' : ']')) {
      open.pop();
      expected = after(open.at(-1));
    } else return fault;
  }
};

/** JSON text of `file` to its value; the failure names line and column. */
export const parseJson = (text: string, file: string, hint?: string): Result<unknown> => {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    const { at, expected } = firstFault(text);
    const before = text.slice(0, at).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const found = at < text.length ? JSON.stringify(text.slice(at, at + 12)) : 'the end of the file';
    return fail(
      'bad-json',
      `not JSON: ${expected} expected at column ${column}, found ${found}`,
      `${file}:${before.length}`,
      hint,
    );
  }
};
