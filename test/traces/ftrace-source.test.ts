import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Failure } from '../../core/value/failure.js';
import type { TraceLine } from '../../traces/ftrace/line.js';
import { readFtrace } from '../../traces/ftrace/read.js';
import { type Progress, type SourceOptions, readSource } from '../../traces/ftrace/source.js';
import { captures } from '../shared.js';
import { tracePath } from './captures.js';

const LINE = '        workload-85      [000] .....     7.342590: vfree: (vfree+0x0/0x40) addr=0x0\n';
const TEXT = LINE.repeat(5000);

/** What a source gives: all bytes, and how it ended. */
async function drain(
  path: string,
  options: SourceOptions = {},
): Promise<{ text: string; error: Failure | null }> {
  const parts: Uint8Array[] = [];
  for await (const chunk of readSource(path, options)) {
    if (!chunk.ok) return { text: Buffer.concat(parts).toString(), error: chunk.error };
    parts.push(Buffer.from(chunk.value));
  }
  return { text: Buffer.concat(parts).toString(), error: null };
}

describe('A source of trace text', () => {
  let folder = '';
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'pagetrail-source-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is a file, plain or gzip, whatever its name', async () => {
    expect(await drain(file('plain.gz', TEXT))).to.deep.equal({ text: TEXT, error: null });
    expect(await drain(file('packed.txt', gzipSync(TEXT)))).to.deep.equal({ text: TEXT, error: null });
    const members = Buffer.concat([gzipSync(TEXT), gzipSync(TEXT)]);
    expect(await drain(file('members', members))).to.deep.equal({ text: TEXT + TEXT, error: null });
    expect(await drain(file('empty', ''))).to.deep.equal({ text: '', error: null });
    expect(await drain(file('one', '\x1f'))).to.deep.equal({ text: '\x1f', error: null });
  });

  it('is standard input, in chunks of any size, gzip too', async () => {
    for (const bytes of [Buffer.from(TEXT), gzipSync(TEXT)]) {
      for (const size of [1, 1000, Infinity]) {
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length && chunks.length < 20_000; at += size)
          chunks.push(bytes.subarray(at, at + size));
        const whole = size === 1 ? bytes.subarray(0, chunks.length) : bytes;
        const stdin = Readable.from(chunks);
        const { text, error } = await drain('-', { stdin });
        if (whole.length === bytes.length) expect(error).to.equal(null);
        expect(TEXT.startsWith(text)).to.equal(true);
      }
    }
  });

  it('says how far it is, in bytes as stored', async () => {
    const packed = gzipSync(TEXT);
    const seen: Progress[] = [];
    await drain(file('progress.gz', packed), { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).to.deep.equal({ done: packed.length, total: packed.length });
    seen.length = 0;
    await drain('-', {
      stdin: Readable.from([Buffer.from('ab'), Buffer.from('c')]),
      onProgress: (p) => seen.push(p),
    });
    expect(seen).to.deep.equal([
      { done: 2, total: null },
      { done: 3, total: null },
    ]);
  });

  it('fails as a value, after what could be read', async () => {
    mkdirSync(join(folder, 'capture'), { recursive: true });
    const packed = gzipSync(TEXT, { level: 0 });
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, 300_000, 300_100);
    const cases: readonly (readonly [string, string])[] = [
      [join(folder, 'missing'), 'no-such-file'],
      [join(folder, 'capture'), 'is-a-directory'],
      [join(file('x', ''), 'under-a-file'), 'no-such-file'],
      [file('cut.gz', packed.subarray(0, 300_000)), 'gzip-truncated'],
      [file('damaged.gz', damaged), 'gzip-damaged'],
      [file('header.gz', Buffer.from([0x1f, 0x8b])), 'gzip-truncated'],
    ];
    for (const [path, code] of cases) {
      const { text, error } = await drain(path);
      expect(error, path).to.deep.include({ code, where: path });
      if (code === 'gzip-truncated' && text !== '') expect(TEXT.startsWith(text)).to.equal(true);
    }
    const { text } = await drain(join(folder, 'cut.gz'));
    expect(text.length).to.be.above(200_000);
  });

  it('passes on an error of standard input', async () => {
    const broken = new Readable({
      read() {
        this.destroy(Object.assign(new Error('no more'), { code: 'EIO' }));
      },
    });
    expect((await drain('-', { stdin: broken })).error).to.include({ code: 'read-failed' });
  });

  it('lets go of the file when no more is wanted', async () => {
    const stdin = Readable.from([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')], { objectMode: true });
    for await (const _ of readSource('-', { stdin })) break;
    expect(stdin.destroyed).to.equal(true);
  });

  it('is read to the end as a trace', async () => {
    const lines: TraceLine[] = [];
    const result = await readFtrace(file('t.gz', gzipSync(TEXT)), (line) => lines.push(line));
    expect(result.ok && result.value.counts.events).to.equal(5000);
    expect(lines).to.have.length(5000);
  });

  it('is refused as a trace when it is something else, before any line is given', async () => {
    const lines: TraceLine[] = [];
    for (const [content, code] of [
      ['', 'not-a-trace-empty'],
      ['{"a":1}', 'not-a-trace-json'],
      [gzipSync(gzipSync(TEXT)), 'not-a-trace-gzip'],
      ['prose\n'.repeat(50_000), 'not-a-trace-unknown'],
    ] as const) {
      const result = await readFtrace(file('other', content), (line) => lines.push(line));
      expect(result.ok ? null : result.error.code).to.equal(code);
    }
    expect(lines).to.deep.equal([]);
  });

  for (const capture of captures().slice(0, 3)) {
    it(`reads ${tracePath(capture)}`, async () => {
      const result = await readFtrace(tracePath(capture), () => {});
      expect(result.ok && result.value.counts.entriesInBuffer === result.value.counts.events).to.equal(true);
    });
  }
});
