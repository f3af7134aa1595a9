import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../traces/recordings.js';

const FOLLOW = join('core', 'driver', 'follow');

/** Ids of divergences that the sources of follow hold: `diverge('id', …)`, `#diverge(context, line, 'id', …)`. */
const idsInSource = (): Set<string> => {
  const ids = new Set<string>();
  for (const file of readdirSync(join(projectRoot(), FOLLOW))) {
    const text = readFileSync(join(projectRoot(), FOLLOW, file), 'utf8');
    for (const [, id] of text.matchAll(/\bdiverge\((?:context, line, )?'([a-z-]+)'/g)) ids.add(id as string);
  }
  return ids;
};

/** Ids that the page explains: the first column of the table of classes. */
const idsInPage = (): Set<string> => {
  const page = readFileSync(join(projectRoot(), 'docs', 'divergences.md'), 'utf8');
  const section = /\n## Classes\n([^]*?)\n## /.exec(page)?.[1] ?? '';
  return new Set([...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, id]) => id as string));
};

describe('docs/divergences.md', () => {
  it('explains every id that follow uses, and no other', () => {
    const used = [...idsInSource()].sort();
    expect(used.length).to.be.above(5);
    expect([...idsInPage()].sort()).to.deep.equal(used);
  });

  it('is complete: no call passes an id that is not written out', () => {
    for (const file of readdirSync(join(projectRoot(), FOLLOW))) {
      const text = readFileSync(join(projectRoot(), FOLLOW, file), 'utf8');
      const calls = [...text.matchAll(/\.#?diverge\(/g)].length;
      const written = [...text.matchAll(/\.#?diverge\((?:context, line, )?'[a-z-]+'/g)].length;
      // The one that passes on what it is given is in follow.ts.
      expect(calls - written, file).to.equal(file === 'follow.ts' ? 1 : 0);
    }
  });
});
