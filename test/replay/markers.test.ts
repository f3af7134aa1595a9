import { expect } from 'chai';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { must } from '../../replay/failed.js';
import { openLog } from '../../replay/log.js';
import { derivedTables } from '../../replay/tables.js';
import { openStore } from '../../store/index.js';
import { imported, newDesk, recordingsOf, type Desk } from '../traces/recordings.js';

describe('markers of a log', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  it('are read from their table, and from the events where it is gone', async () => {
    const file = join(desk.folder, 'markers.db');
    const folder = recordingsOf(/^6\.12-S1$/)[0] as string;
    const store = must(openStore(file, derivedTables()));
    const { report } = await imported(store, folder);
    store.close();
    const markers = () => {
      const log = must(openLog(file));
      const found = must(must(log.trace(report.trace)).markers());
      log.close();
      return found;
    };
    const told = markers();
    expect(told).to.not.be.empty;

    const db = new Database(file);
    db.prepare('UPDATE markers SET text = ? WHERE seq = ?').run('phase: other', told[0]?.seq);
    db.close();
    expect(markers()[0]?.text).to.equal('phase: other');

    const dropping = must(openStore(file));
    must(dropping.dropDerived());
    dropping.close();
    expect(markers()).to.deep.equal(told);

    must(openStore(file, derivedTables())).close();
    expect(markers()).to.deep.equal(told);
  }).timeout(60_000);
});
