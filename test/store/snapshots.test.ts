import { expect } from 'chai';
import { newFile, open } from './files.js';
import { codeOf, forge, must, newTrace, segments } from './given.js';

const text = (s: string): Buffer => Buffer.from(s);

describe('Snapshots', () => {
  it('are found at or before an event, for their reducer only', () => {
    const log = newTrace(open(newFile()));
    must(log.appendAll(segments(5)));
    must(log.saveSnapshot(0, text('nothing'), 'r1'));
    must(log.saveSnapshot(8, text('eight'.repeat(1000)), 'r1'));
    must(log.saveSnapshot(12, text('twelve'), 'r2'));
    const near = (seq: number, reducer = 'r1'): number | undefined =>
      must(log.nearestSnapshot(seq, reducer))?.seq;
    expect([near(0), near(7), near(8), near(20)]).to.deep.equal([0, 0, 8, 8]);
    expect([near(11, 'r2'), near(12, 'r2'), near(20, 'r3')]).to.deep.equal([undefined, 12, undefined]);
    expect(must(log.nearestSnapshot(9, 'r1'))?.bytes).to.deep.equal(text('eight'.repeat(1000)));
    must(log.saveSnapshot(8, text('again'), 'r1'));
    expect(must(log.nearestSnapshot(9, 'r1'))?.bytes).to.deep.equal(text('again'));
  });

  it('are of events that are there', () => {
    const log = newTrace(open(newFile()));
    must(log.appendAll(segments(1)));
    for (const seq of [-1, 5, 1.5, NaN]) {
      expect(codeOf(log.saveSnapshot(seq, text('x'), 'r'))).to.equal('no-such-event');
    }
  });

  it('that are damaged, or were moved, are passed over', () => {
    const file = newFile();
    const log = newTrace(open(file));
    must(log.appendAll(segments(5)));
    for (const seq of [4, 8, 12, 16]) must(log.saveSnapshot(seq, text(`state ${seq}; `.repeat(50)), 'r'));
    forge(file, (db) => {
      db.exec(`UPDATE snapshots SET bytes = zeroblob(length(bytes)) WHERE seq = 16;
        UPDATE snapshots SET (digest, size, codec, bytes) =
          (SELECT digest, size, codec, bytes FROM snapshots WHERE seq = 4) WHERE seq = 12;
        UPDATE snapshots SET size = 'many' WHERE seq = 20`);
    });
    expect(must(log.nearestSnapshot(20, 'r'))?.seq).to.equal(8);
  });

  it('can be dropped', () => {
    const store = open(newFile());
    const log = newTrace(store);
    must(log.appendAll(segments(2)));
    for (const reducer of ['old', 'older', 'new']) must(log.saveSnapshot(4, text(reducer), reducer));
    expect(must(store.dropSnapshots('new'))).to.equal(2);
    expect(must(log.nearestSnapshot(8, 'new'))?.seq).to.equal(4);
    expect(must(store.dropSnapshots())).to.equal(1);
    expect(must(log.nearestSnapshot(8, 'new'))).to.equal(null);
  });
});
