import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ParserOptions } from 'prettier';
import { parsers } from 'prettier/plugins/typescript';

/**
 * The rooms (top-level folders) and whose files each may import; `root` is the files beside package.json. Rooms that are not
 * listed as restricted (test, bench, docs) may import anything.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  store: ['store', 'core'],
  replay: ['replay', 'store', 'core'],
  traces: ['traces', 'store', 'core'],
  cli: ['cli', 'web', 'replay', 'traces', 'store', 'core', 'root'],
  web: ['cli', 'web', 'replay', 'traces', 'store', 'core', 'root'],
  root: ['root', 'replay', 'traces', 'store', 'core'],
};
const UNRESTRICTED: readonly string[] = ['test', 'bench', 'docs'];

/** What would let the clock, chance or the machine into core. */
const IMPURE_NAMES =
  /^(?:Date|performance|process|crypto|globalThis|require|fetch|set(?:Timeout|Interval|Immediate))$/;

const repository = fileURLToPath(new URL('../../', import.meta.url));
const NOT_SOURCES = /^(?:node_modules|dist|coverage|\..*)$/;

/** Every TypeScript source of the repository, as a path with slashes from its top. */
export function sourceFiles(): readonly string[] {
  return readdirSync(repository, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_SOURCES.test(entry.name)) return [];
    const files = entry.isDirectory()
      ? readdirSync(join(repository, entry.name), { recursive: true, encoding: 'utf8' }).map((file) =>
          posix.join(entry.name, file),
        )
      : [entry.name];
    return files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  });
}

export const readSource = (file: string): string => readFileSync(join(repository, file), 'utf8');

/** A node of the syntax tree (ESTree with TypeScript's nodes), as far as it is looked at here. */
type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node)['type'] === 'string';

/** A name that only labels something (`a.name`, `{ name: … }`), as opposed to one that refers to something. */
const isLabel = (parent: Node, key: string): boolean =>
  (key === 'property' || key === 'key') && parent['computed'] !== true && parent['shorthand'] !== true;

/** Visits a node and everything under it, comments left out. */
function walk(
  node: Node,
  visit: (node: Node, parent: Node, key: string) => void,
  parent = node,
  at = '',
): void {
  visit(node, parent, at);
  for (const [key, value] of Object.entries(node)) {
    if (key === 'comments' || key === 'tokens') continue;
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child)) walk(child, visit, node, key);
    }
  }
}

/** The text of a string literal or of a template without holes; null for anything else. */
function literalText(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node['type'] === 'TSLiteralType') return literalText(node['literal']);
  if (typeof node['value'] === 'string') return node['value'];
  const quasis = node['quasis'];
  if (!Array.isArray(quasis) || quasis.length !== 1) return null;
  return (quasis[0] as { value: { cooked: string } }).value.cooked;
}

/** The node that names the module, for every form that imports one; undefined for other nodes. */
function moduleNode(node: Node): unknown {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source'];
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined;
    case 'TSExternalModuleReference':
      return node['expression'];
    case 'CallExpression': {
      const { callee, arguments: given } = node;
      const required = isNode(callee) && callee['type'] === 'Identifier' && callee['name'] === 'require';
      return required ? ((given as unknown[])[0] ?? null) : undefined;
    }
    default:
      return undefined;
  }
}

/** The room of a path from the top: its first folder, or `root`. */
const roomOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : 'root');

/** The room that a module specifier in a file leads to; null for packages and Node's modules. */
function roomOfModule(file: string, specifier: string): string | null {
  if (/^\.\.?(?:\/|$)/.test(specifier)) return roomOf(posix.join(posix.dirname(file), specifier));
  return /^pagetrail(?:\/|$)/.test(specifier) ? 'root' : null;
}

/** The one file that imports what somebody names on the command line: rules of their own. */
const LOADS_MODULES_OF_USERS = 'cli/audit/rulesModule.ts';

/** What one import does wrong; null when it may stand. */
function importFault(file: string, room: string, specifier: string | null): string | null {
  if (specifier === null)
    return LOADS_MODULES_OF_USERS === file ? null : 'imports a computed module, which nothing can check';
  const target = roomOfModule(file, specifier);
  if (target === null) return room === 'core' ? `imports ${specifier}, and core imports nothing` : null;
  return MAY_IMPORT[room]?.includes(target) ? null : `imports ${specifier}: ${room} may not import ${target}`;
}

/** What one name in core does wrong; null when it is pure. */
function impurity(node: Node, parent: Node, key: string): string | null {
  if (node['type'] !== 'Identifier' || isLabel(parent, key)) return null;
  const name = String(node['name']);
  if (IMPURE_NAMES.test(name)) return `mentions ${name}, and core is pure`;
  const isRandom =
    name === 'Math' &&
    key === 'object' &&
    isNode(parent['property']) &&
    (parent['property']['name'] === 'random' || literalText(parent['property']) === 'random');
  return isRandom ? 'mentions Math.random, and core is pure' : null;
}

/** The rules of the rooms that a source breaks, one sentence each. `file` is its path from the top. */
export async function violations(file: string, source: string): Promise<readonly string[]> {
  const room = roomOf(file);
  if (UNRESTRICTED.includes(room)) return [];
  if (!(room in MAY_IMPORT)) return [`${file}: ${room} is no room`];
  const tree: unknown = await parsers.typescript.parse(source, { filepath: file } as ParserOptions);
  if (!isNode(tree)) throw new TypeError(`${file}: no syntax tree`);
  const found: string[] = [];
  walk(tree, (node, parent, key) => {
    const module = moduleNode(node);
    const faults = [
      module === undefined ? null : importFault(file, room, literalText(module)),
      room === 'core' ? impurity(node, parent, key) : null,
    ];
    for (const fault of faults) if (fault !== null) found.push(`${file}: ${fault}`);
  });
  return found;
}
