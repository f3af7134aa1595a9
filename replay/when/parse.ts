/** Reads a predicate. What is wrong is said with its column. */
import { Address } from '../../core/value/address.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import {
  ALIAS_PROPERTIES,
  AREA_PROPERTIES,
  PACK_PROPERTIES,
  PAGE_PROPERTIES,
  PROGRAM_PROPERTIES,
  TOTALS,
  type Binary,
  type Expression,
  type Total,
  type ValueType,
} from './expression.js';

interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'sign' | 'end';
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** What is wrong, thrown inside this file only. */
class Wrong extends Error {
  readonly at: number;
  readonly hint: string | undefined;
  constructor(what: string, at: number, hint?: string) {
    super(what);
    this.at = at;
    this.hint = hint;
  }
}

const TOKEN =
  /(?<space>\s+)|(?<number>0x[0-9a-fA-F]+|\d+)|(?<word>[A-Za-z_]\w*)|(?<text>"[^"]*")|(?<sign>\|\||&&|==|!=|<=|>=|[<>!+\-*().])/y;

const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    const found = Object.entries(groups ?? {}).find(([, part]) => part !== undefined);
    if (found === undefined)
      throw new Wrong(
        text[at] === '"' ? 'this text has no end' : `${JSON.stringify(text[at])} has no meaning here`,
        at,
      );
    const [kind, part] = found;
    if (kind !== 'space')
      tokens.push({ kind: kind as Token['kind'], text: part, from: at, to: at + part.length });
    at += part.length;
  }
  tokens.push({ kind: 'end', text: '', from: text.length, to: text.length });
  return tokens;
};

/** How tightly an operator binds. */
const LEVELS: readonly (readonly Binary[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*'],
];
const TRUTHS: ReadonlySet<string> = new Set(['||', '&&']);
const EQUALITY: ReadonlySet<string> = new Set(['==', '!=']);
const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*']);
const MOST_BITS = 64;
const DEEPEST = 200;

const typeText: Readonly<Record<ValueType, string>> = {
  truth: 'a truth value',
  number: 'a number',
  text: 'a text',
};

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#level(0);
    const rest = this.#peek();
    if (rest.kind !== 'end') throw new Wrong(`${JSON.stringify(rest.text)} does not belong here`, rest.from);
    if (expression.type !== 'truth')
      throw new Wrong(
        `this is ${typeText[expression.type]}, not true or false`,
        expression.from,
        'compare it with something',
      );
    return expression;
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  #isSign(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'sign' && token.text === text;
  }

  #sign(text: string): Token {
    const token = this.#peek();
    if (!this.#isSign(text))
      throw new Wrong(
        `${JSON.stringify(text)} is missing${token.kind === 'end' ? ' at the end' : ` before ${JSON.stringify(token.text)}`}`,
        token.from,
      );
    return this.#take();
  }

  #level(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#level(level + 1);
    for (;;) {
      const token = this.#peek();
      const operator = operators.find((text) => token.kind === 'sign' && token.text === text);
      if (operator === undefined) return left;
      this.#take();
      left = binary(operator, left, this.#level(level + 1), token.from);
      if (level === 2 && operators.some((text) => this.#isSign(text)))
        throw new Wrong('comparisons cannot be chained', this.#peek().from, 'join them with &&');
    }
  }

  #unary(): Expression {
    const token = this.#peek();
    if (++this.#depth > DEEPEST) throw new Wrong('this is nested too deeply', token.from);
    try {
      if (this.#isSign('!') || this.#isSign('-')) {
        this.#take();
        const of = this.#unary();
        const type = token.text === '!' ? 'truth' : 'number';
        expect(of, type);
        return { kind: token.text === '!' ? 'not' : 'minus', of, type, from: token.from, to: of.to };
      }
      return this.#primary();
    } finally {
      this.#depth--;
    }
  }

  #primary(): Expression {
    const token = this.#take();
    const { from, to, text } = token;
    if (token.kind === 'number') {
      const value = BigInt(text);
      if (value >> BigInt(MOST_BITS) !== 0n) throw new Wrong(`${text} has more than ${MOST_BITS} bits`, from);
      return { kind: 'literal', value, type: 'number', from, to };
    }
    if (token.kind === 'text') return { kind: 'literal', value: text.slice(1, -1), type: 'text', from, to };
    if (token.kind === 'word') return this.#word(token);
    if (token.kind === 'sign' && text === '(') {
      const inner = this.#level(0);
      const end = this.#sign(')');
      return { ...inner, from, to: end.to };
    }
    throw new Wrong(
      token.kind === 'end'
        ? 'something is missing at the end'
        : `${JSON.stringify(text)} does not belong here`,
      from,
    );
  }

  #word({ text, from, to }: Token): Expression {
    if (text === 'true' || text === 'false')
      return { kind: 'literal', value: text === 'true', type: 'truth', from, to };
    if ((TOTALS as readonly string[]).includes(text))
      return { kind: 'total', name: text as Total, type: 'number', from, to };
    switch (text) {
      case 'page':
        return { kind: 'page', at: this.#address(), ...this.#property(PAGE_PROPERTIES, from) };
      case 'alias':
        return { kind: 'alias', at: this.#address(), ...this.#property(ALIAS_PROPERTIES, from) };
      case 'pack':
        return { kind: 'pack', at: this.#address(), ...this.#property(PACK_PROPERTIES, from) };
      case 'area':
        return { kind: 'area', at: this.#address(), ...this.#property(AREA_PROPERTIES, from) };
      case 'prog':
        return { kind: 'prog', what: this.#name(), ...this.#property(PROGRAM_PROPERTIES, from) };
      case 'symbol': {
        const name = this.#name();
        return { kind: 'symbol', name, type: 'truth', from, to: this.#end() };
      }
      case 'invariant': {
        const rule = this.#name();
        return { kind: 'invariant', rule, type: 'truth', from, to: this.#end() };
      }
      default:
        throw new Wrong(
          `${text} is not known`,
          from,
          `there are page, alias, prog, pack, area, symbol, invariant, true, false and ${TOTALS.join(', ')}`,
        );
    }
  }

  /** Where the last token ended. */
  #end(): number {
    return this.#tokens[this.#at - 1]?.to ?? 0;
  }

  #address(): Address {
    this.#sign('(');
    const token = this.#take();
    const address = token.kind === 'number' ? Address.parse(token.text) : null;
    if (address === null || !/^0x/i.test(token.text))
      throw new Wrong('an address is missing', token.from, 'write it as 0xffffffffc0000000');
    this.#sign(')');
    return address;
  }

  #name(): string {
    this.#sign('(');
    const token = this.#take();
    if (token.kind !== 'text' && token.kind !== 'number')
      throw new Wrong('a name in quotes is missing', token.from, 'write it as ("name")');
    this.#sign(')');
    return token.kind === 'text' ? token.text.slice(1, -1) : token.text;
  }

  #property<P extends Readonly<Record<string, ValueType>>>(
    properties: P,
    from: number,
  ): { readonly property: keyof P; readonly type: ValueType; readonly from: number; readonly to: number } {
    const names = Object.keys(properties);
    this.#sign('.');
    const token = this.#take();
    const type = Object.hasOwn(properties, token.text) ? properties[token.text] : undefined;
    if (token.kind !== 'word' || type === undefined)
      throw new Wrong(
        token.kind === 'end' ? 'a property is missing at the end' : `there is no property ${token.text}`,
        token.from,
        `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`,
      );
    return { property: token.text as keyof P, type, from, to: token.to };
  }
}

const expect = (expression: Expression, type: ValueType): void => {
  if (expression.type !== type)
    throw new Wrong(`this is ${typeText[expression.type]}; here stands ${typeText[type]}`, expression.from);
};

const binary = (operator: Binary, left: Expression, right: Expression, at: number): Expression => {
  const span = { from: left.from, to: right.to };
  if (TRUTHS.has(operator)) {
    expect(left, 'truth');
    expect(right, 'truth');
  } else if (EQUALITY.has(operator)) {
    if (left.type !== right.type)
      throw new Wrong(`${typeText[left.type]} is never equal to ${typeText[right.type]}`, at);
  } else {
    expect(left, 'number');
    expect(right, 'number');
  }
  const type = ARITHMETIC.has(operator) ? 'number' : 'truth';
  return { kind: 'binary', operator, left, right, type, ...span };
};

/** Reads a predicate. Failure: `bad-expression`, with the column (from 1). */
export const parseExpression = (text: string): Result<Expression> => {
  try {
    return ok(new Parser(tokensOf(text)).whole());
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return fail(
      'bad-expression',
      error.message,
      `column ${error.at + 1} of ${JSON.stringify(text)}`,
      error.hint,
    );
  }
};
