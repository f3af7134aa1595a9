import { expect } from 'chai';
import { acknowledged, send } from './child.js';
import { newFile, open } from './files.js';
import { failure, must, newTrace, plain, readAll, segment, noise } from './given.js';
import { errandSegment } from './appender.js';

const noisy = (index: number): ReturnType<typeof segment> => ({
  ...segment(index),
  bytes: noise(index, 5000),
});

describe('A full disk', () => {
  it('is a failure that leaves what was committed, and the log goes on when there is room', () => {
    const file = newFile();
    const small = open(file, { maxBytes: 400 * 1024 });
    const log = newTrace(small);
    let n = 0;
    let result = log.append(noisy(n));
    while (result.ok) result = log.append(noisy(++n));
    expect(failure(result)).to.include({
      code: 'disk-full',
      hint: 'free some disk space and run the same command again',
    });
    expect(n).to.be.above(10);
    expect(failure(log.append(noisy(n))).code).to.equal('disk-full');
    expect(readAll(log)).to.have.length(n);
    expect(must(small.verify('a'))).to.include({ intact: true, segments: n });
    small.close();
    const store = open(file);
    const again = newTrace(store);
    must(again.appendAll(Array.from({ length: n + 3 }, (_, i) => noisy(i))));
    expect(readAll(again).map(plain)).to.deep.equal(Array.from({ length: n + 3 }, (_, i) => plain(noisy(i))));
  });

  it('for the system (a limit on the size of files) is a failure that leaves what was acknowledged', async function () {
    this.timeout(30_000);
    const file = newFile();
    const lines = await send({ file, segments: 5000, perCommit: 2 }, undefined, 300).ended;
    expect(lines.at(-1)).to.be.oneOf(['io-error', 'disk-full']);
    const n = acknowledged(lines);
    expect(n).to.be.above(10);
    const store = open(file);
    const log = newTrace(store);
    expect(must(store.verify('a'))).to.include({ intact: true });
    expect(log.info.segments).to.be.at.least(n);
    expect(readAll(log).slice(0, n).map(plain)).to.deep.equal(
      Array.from({ length: n }, (_, i) => plain(errandSegment(i))),
    );
    must(log.append(errandSegment(log.info.segments)));
  });
});
