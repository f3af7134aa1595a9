import type Database from 'better-sqlite3';
import { expect } from 'chai';
import type { Connection } from '../../store/connection.js';
import { openFile } from '../../store/open.js';
import { readSegment } from '../../store/segments.js';
import { verifyTrace } from '../../store/verify.js';
import { newFile, open } from './files.js';
import { codeOf, failure, must, newTrace, readAll, segment, segments } from './given.js';

describe('Segments', () => {
  it('are found by any of their events', () => {
    const log = newTrace(open(newFile()));
    must(log.appendAll(segments(9, 7)));
    for (let seq = 1; seq <= 63; seq++)
      expect(must(log.segmentAt(seq)).index).to.equal(Math.floor((seq - 1) / 7));
    expect(failure(log.segmentAt(64))).to.include({ code: 'no-such-event', hint: 'it has 1 to 63' });
    for (const seq of [0, -1, NaN]) expect(codeOf(log.segmentAt(seq))).to.equal('no-such-event');
  });

  it('are given from the one that holds an event on', () => {
    const log = newTrace(open(newFile()));
    must(log.appendAll(segments(6)));
    const from = (seq?: number): readonly number[] => readAll(log, seq).map(({ index }) => index);
    expect(from()).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(from(0)).to.deep.equal(from());
    expect(from(4)).to.deep.equal(from());
    expect(from(5)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(from(24)).to.deep.equal([5]);
    expect(from(25)).to.deep.equal([]);
    expect(from(1000)).to.deep.equal([]);
  });

  it('of an empty trace are none', () => {
    const log = newTrace(open(newFile()));
    expect(readAll(log)).to.deep.equal([]);
    expect(codeOf(log.segmentAt(1))).to.equal('no-such-event');
  });

  it('that are appended while others are read are seen', () => {
    const log = newTrace(open(newFile()));
    must(log.appendAll(segments(2)));
    const indexes: number[] = [];
    for (const item of log.segments()) {
      const { index } = must(item);
      indexes.push(index);
      if (index < 4) must(log.append(segment(index + 2)));
    }
    expect(indexes).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });

  it('do not hold the file while they are read: the write-ahead log is checkpointed meanwhile', () => {
    const file = newFile();
    const writer = open(file);
    const log = newTrace(writer);
    must(log.appendAll(segments(10)));
    const reading = must(open(file, { readonly: true }).trace('a')).segments();
    reading.next();
    must(writer.compact());
    expect([...reading].map((item) => must(item).index)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('that are appended between two looks of a reader are not taken for missing', () => {
    const file = newFile();
    const log = newTrace(open(file));
    must(log.append(segment(0)));
    const c = must(openFile(file, { readonly: true }));
    let appended = 1;
    beforeHeadIsRead(c, () => {
      if (appended < 5) must(log.append(segment(appended++)));
    });
    expect(must(readSegment(c, { id: 1, name: 'a' }, 1))?.index).to.equal(1);
    expect(must(verifyTrace(c, 'a', {}))).to.include({ intact: true, segments: 5 });
    c.db.close();
  });
});

/** Does something between a reader's look for a segment and its look at the head. */
function beforeHeadIsRead(c: Connection, act: () => void): void {
  const prepare = c.db.prepare.bind(c.db) as (sql: string) => Database.Statement;
  const watched = (sql: string): Database.Statement => {
    const statement = prepare(sql);
    const get = statement.get.bind(statement);
    if (sql.includes('FROM heads')) {
      statement.get = (...values) => {
        act();
        return get(...values);
      };
    }
    return statement;
  };
  c.statements.clear();
  Object.assign(c.db, { prepare: watched });
}
