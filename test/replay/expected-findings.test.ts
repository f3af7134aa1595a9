/**
 * What the audit finds in each recording, each entry looked at: test/expected-findings/CAPTURE.json. `UPDATE_FINDINGS=1` writes what is found now and
 * keeps the reasons; an entry without a reason fails until somebody has looked at it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { auditTrace } from '../../replay/audit/audit.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import {
  bundled,
  imported,
  newDesk,
  projectRoot,
  recordings,
  recordingsOfOrder,
  recordingsOfOthers,
  type Desk,
} from '../traces/recordings.js';

interface Expected {
  readonly rule: string;
  readonly pattern: string;
  readonly count: number;
  readonly bytes: number;
  /** How many were still so at the end. */
  readonly standing: number;
  readonly why: string;
}

const folderOf = (): string => join(projectRoot(), 'test', 'expected-findings');

const read = (name: string): readonly Expected[] => {
  const path = join(folderOf(), `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as readonly Expected[]) : [];
};

const keyOf = ({ rule, pattern }: Pick<Expected, 'rule' | 'pattern'>): string => `${rule} ${pattern}`;

describe('what the audit finds in a recording of a real kernel', function () {
  this.timeout(120_000);
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  const folders = new Map(
    [...bundled(), ...recordings(), ...recordingsOfOthers(), ...recordingsOfOrder()].map((folder) => [
      basename(folder),
      folder,
    ]),
  );

  it('has an expectation for every recording, and none for another', () => {
    const named = readdirSync(folderOf()).map((file) => file.replace(/\.json$/, ''));
    expect(named).to.include.members([...folders.keys()]);
  });

  for (const [name, folder] of folders)
    it(`${name}: exactly what was looked at and found true`, async () => {
      const store = desk.store();
      await imported(store, folder, { name });
      const { patterns } = must(auditTrace(must(logOn(store).trace(name))));
      store.close();
      const whys = new Map(read(name).map((one) => [keyOf(one), one.why]));
      const found = patterns.map(({ rule, pattern, count, bytes, standing }): Expected => ({
        rule,
        pattern,
        count,
        bytes,
        standing,
        why: whys.get(keyOf({ rule, pattern })) ?? '',
      }));
      if (process.env['UPDATE_FINDINGS'] === '1')
        writeFileSync(join(folderOf(), `${name}.json`), `${JSON.stringify(found, null, 2)}\n`);
      expect(found).to.deep.equal(read(name));
      expect(found.filter(({ why }) => why === '').map(keyOf), 'looked at by nobody').to.deep.equal([]);
    });
});
