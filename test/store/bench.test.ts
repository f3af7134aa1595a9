import { expect } from 'chai';
import { benchAppend } from '../../bench/append.js';
import { newFolder } from './files.js';

describe('The bench of appending', function () {
  this.timeout(60_000);

  it('writes the same events in every way', () => {
    const figures = benchAppend({
      folder: newFolder(),
      events: 8192,
      eventsPerSegment: 1024,
      segmentsPerCommit: 4,
    });
    expect(figures.map(({ way }) => way)).to.deep.equal([
      'store',
      'store, indexed',
      'blobs',
      'rows',
      'sha256',
    ]);
    for (const { way, eventsPerSecond, bytesPerEvent } of figures) {
      expect(eventsPerSecond, way).to.be.above(1000);
      if (bytesPerEvent !== null) expect(bytesPerEvent, way).to.be.within(5, 100);
    }
  });
});
