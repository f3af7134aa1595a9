import { expect } from 'chai';
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
});
