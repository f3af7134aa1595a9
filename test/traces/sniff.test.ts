import { expect } from 'chai';
import * as fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { captures } from '../shared.js';
import { readTrace } from './captures.js';
import { SNIFFED, type TraceFormat, expectTrace, sniff } from '../../traces/sniff.js';

const LINE = '        workload-85      [000] .....     7.342590: vfree: (vfree+0x0/0x40) addr=0x0\n';

const EXAMPLES: readonly (readonly [TraceFormat, string, string | Uint8Array])[] = [
  ['ftrace', 'a header only', '# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n'],
  ['ftrace', 'a line', LINE],
  ['ftrace', 'a line cut short', LINE.trimEnd()],
  ['ftrace', 'lines after a log', `[    0.000000] Linux version 6.1\n\n${LINE}`],
  ['ftrace', 'a line of a task whose name begins as JSON does', LINE.replace(' workload', '[{"a":1}]')],
  ['ftrace', 'lines after NUL bytes', Buffer.concat([Buffer.alloc(4096), Buffer.from(`\n${LINE}`)])],
  ['ftrace', 'lost events', 'CPU:0 [LOST 5 EVENTS]\n'],
  ['trace-cmd report', 'a report', `cpus=2\n${LINE}`],
  ['trace-cmd report', 'a report with a version', 'version = 7\ncpus=2\n'],
  ['gzip', 'gzip', gzipSync('x')],
  [
    'perf script',
    'perf script',
    'workload   103 [001]    48.178826: probe:execmem_alloc: (ffffffff8133cd10) type=3\n',
  ],
  [
    'perf script',
    'perf script of a thread',
    'my prog 103/104 48.178826: probe:execmem_alloc: (ffffffff8133cd10)\n',
  ],
  [
    'latency format',
    'ftrace with latency-format set',
    '# tracer: nop\n#\n# nop latency trace v1.1.5 on 6.1.0\nworkload-85        0.....  7341731us : vfree: (vfree+0x0/0x40) addr=0x0\n',
  ],
  [
    'verbose latency format',
    'ftrace with verbose set',
    '# tracer: nop\n#\n        workload      85   0 0 00000000 00000017 [0070067d] 7341.731ms (+0.012ms): vfree: (vfree+0x0/0x40) addr=0x0\n',
  ],
  ['json', 'an object', '{\n  "trace": 1 }'],
  ['json', 'a list', ' [{"a":1}]'],
  ['empty', 'nothing', ''],
  ['empty', 'white space', ' \n\r\n'],
  ['trace.dat', 'trace.dat', Buffer.from('\x17\x08\x44tracing7\0', 'latin1')],
  ['perf.data', 'perf.data', 'PERFILE2\0\0'],
  ['sqlite', 'a database', 'SQLite format 3\0\x10'],
  ['compressed', 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1])],
  ['utf-16', 'UTF-16', Buffer.from('\ufeff# tracer: nop\n', 'utf16le')],
  ['binary', 'an executable', Buffer.from('\x7fELF\x02\x01\x01\0\0', 'latin1')],
  ['binary', 'noise', Uint8Array.from({ length: 1000 }, (_, i) => ((i * 37) % 31) + 1)],
  ['unknown', 'prose', 'Dear maintainer,\n\nplease find attached\n'],
  [
    'unknown',
    'a kernel log',
    '[    1.234567] BUG: unable to handle page fault for address: ffffffffc0000000\n',
  ],
];

describe('Sniffing a file', () => {
  for (const [format, name, bytes] of EXAMPLES) {
    it(`finds ${format}: ${name}`, () => {
      expect(sniff(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)).to.equal(format);
    });
  }

  it('lets through what the reader reads, and says of the rest what it is and what to do', () => {
    for (const [format, , bytes] of EXAMPLES) {
      const result = expectTrace(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, 'file.txt');
      if (result.ok)
        expect(result.value).to.equal(format).and.be.oneOf(['ftrace', 'trace-cmd report', 'perf script']);
      else {
        expect(result.error.code).to.match(/^not-a-trace-[a-z0-9-]+$/);
        expect(result.error).to.include.keys('what', 'hint');
        expect(result.error.where).to.equal('file.txt');
      }
    }
  });

  it('takes anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sniff(bytes)).to.be.a('string');
      }),
    );
  });

  it('takes no longer for one long line', () => {
    for (const text of ['a ', '[', '-1 [', '1 ', ' ', '"']) {
      // Going back over it for every byte would take minutes: mocha's limit would end it.
      expect(sniff(Buffer.from(text.repeat(SNIFFED))), text).to.be.a('string');
    }
  });

  it('finds the recordings to be ftrace, wherever the first 64 KiB end', () => {
    for (const folder of captures()) {
      const bytes = readTrace(folder);
      for (const length of [200, 1000, 5000, SNIFFED]) {
        expect(sniff(bytes.subarray(0, length)), folder).to.equal('ftrace');
      }
      expect(sniff(bytes.subarray(20_000)), folder).to.equal('ftrace');
    }
  });
});
