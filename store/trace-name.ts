import { fail, ok, type Result } from '../core/value/failure.js';

const LONGEST = 200;

/** A trace's name: what stands before `@` in a moment, so without `@`, spaces around it or control characters. */
export function checkName(name: string): Result<string> {
  const why =
    name === ''
      ? 'is empty'
      : name.length > LONGEST
        ? `has more than ${LONGEST} characters`
        : name.includes('@')
          ? 'contains @'
          : name.trim() !== name
            ? 'begins or ends with a space'
            : /[\p{Cc}\p{Cs}]/u.test(name)
              ? 'contains control characters'
              : null;
  return why === null
    ? ok(name)
    : fail('bad-name', `the name ${JSON.stringify(name)} of a trace ${why}`, undefined, 'give another name');
}

const SHOWN = 5;

/** Which of `names` the writer of `name` may have meant, the nearest first. */
export function nearNames(name: string, names: readonly string[]): readonly string[] {
  const wanted = name.toLowerCase();
  const near = names
    .map((candidate) => ({ candidate, far: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, far }) => far <= Math.max(2, wanted.length / 3) || contains(candidate, wanted))
    .sort((a, b) => a.far - b.far);
  return near.slice(0, SHOWN).map(({ candidate }) => candidate);
}

function contains(candidate: string, wanted: string): boolean {
  const text = candidate.toLowerCase();
  return wanted !== '' && (text.includes(wanted) || wanted.includes(text));
}

/** Insertions, deletions and replacements between two texts. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const line = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      line.push(Math.min(same, (above[j] ?? 0) + 1, (line[j - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[b.length] ?? 0;
}
