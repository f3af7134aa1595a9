import { expect } from 'chai';
import { distinctUntilChanged, filter, from, last, lastValueFrom, map, scan, take, toArray } from 'rxjs';
import {
  evolve,
  evolveAll,
  memoryView,
  nothing,
  open,
  PagetrailError,
  replay,
  type Event,
} from '../../index.js';
import { eventsOf } from '../../replay/stream.js';
import { must } from '../../replay/failed.js';
import { openLog } from '../../replay/log.js';
import { openStore } from '../../store/index.js';
import { append, capturesNamed, importedCapture, logFile, numbered } from './given.js';
import { bytes } from './log.test.js';

const [capture] = capturesNamed(/5\.18-rc3-S8/);

/** The first page of the pack that the recording makes. */
const PACK = '0xffffffffa0600000';

describe('the ten lines that a user writes', () => {
  (capture === undefined ? it.skip : it)('run against a recording of a real kernel', async () => {
    const imported = await importedCapture(capture ?? '');
    const log = open(imported.file).trace(imported.name);

    const end = from(log.batches()).pipe(scan(evolveAll, nothing), last());
    const same = log.events().pipe(scan(evolve, nothing), last());
    expect(bytes(await lastValueFrom(end))).to.equal(bytes(await lastValueFrom(same)));
    expect(bytes(await lastValueFrom(end))).to.equal(bytes(log.at('end').state));

    const wx = log.events({ from: '#start' }).pipe(
      replay(log.at('#start')),
      filter(({ memory }) => memory.page(PACK)?.prot === 'r-x'),
    );
    const first = await lastValueFrom(wx.pipe(take(1)));
    expect(first.event.kind).to.equal('permission');

    const past = log.events().pipe(
      replay(),
      map(({ memory }) => memory.page(PACK)),
      distinctUntilChanged((a, b) => a?.cause === b?.cause),
      toArray(),
    );
    const life = await lastValueFrom(past);
    expect(life.map((page) => page?.prot ?? null).slice(0, 4)).to.deep.equal([null, 'rw-', 'r--', 'r-x']);
    expect(life[3]?.pageSize).to.equal(2 ** 21);

    const c = log.cursor('#freed-all');
    const seqs: number[] = [];
    c.moment$.subscribe(({ seq }) => seqs.push(seq));
    must(c.back());
    must(c.goto('end'));
    expect(seqs).to.deep.equal([log.find('#freed-all'), log.find('#freed-all') - 1, log.info.events]);
    c.close();
  }).timeout(60_000);
});

const marker = (text: string) => ({ kind: 'marker', text }) as const;

const texts = (list: readonly Event[]): string =>
  list.map((event) => (event.kind === 'marker' ? event.text : '?')).join('');

describe('a stream of events', () => {
  const events = numbered(['a', 'b', 'c', 'd', 'e'].map(marker));

  it('is read again by every subscriber, and only as far as it is taken', async () => {
    const trace = must(must(openLog(logFile(events, { size: 2 }))).trace('t'));
    let batches = 0;
    const counted = {
      ...trace,
      *batches(options = {}) {
        for (const batch of trace.batches(options)) {
          batches++;
          yield batch;
        }
      },
    };
    const stream = eventsOf(counted, { from: 'start' });
    expect(texts(await lastValueFrom(stream.pipe(toArray())))).to.equal('abcde');
    expect(batches).to.equal(3);
    expect(texts(await lastValueFrom(stream.pipe(take(3), toArray())))).to.equal('abc');
    expect(batches).to.equal(5);
  });

  it('goes on with what is appended when it is live', async () => {
    const file = logFile(events.slice(0, 2));
    const store = must(openStore(file));
    const seen = lastValueFrom(
      open(file).trace('t').events({ from: 'end', live: true, period: 5 }).pipe(toArray()),
    );
    setTimeout(() => {
      append(store, events.slice(2));
      must(must(store.trace('t')).finish({}));
    }, 20);
    expect((await seen).map(({ seq }) => seq)).to.deep.equal([3, 4, 5]);
    store.close();
  });

  it('ends with an error where the log does', async () => {
    const log = open(logFile(events)).trace('t');
    let error: unknown;
    await lastValueFrom(log.events({ from: '#zzz' })).catch((caught: unknown) => (error = caught));
    expect(error).to.be.instanceOf(PagetrailError);
    expect(() => log.at('#zzz')).to.throw(PagetrailError, 'no marker #zzz');
    expect(() => open('/nowhere/at/all.db')).to.throw(PagetrailError);
  });
});

describe('the package', () => {
  it('gives by its name what index.ts exports', async () => {
    const name: string = 'pagetrail';
    const named = (await import(name)) as Record<string, unknown>;
    expect(named['open']).to.equal(open);
    expect(named['evolve']).to.equal(evolve);
  });
});

describe('the view of a memory', () => {
  it('answers in texts', () => {
    const memory = evolveAll(
      nothing,
      numbered([
        { kind: 'bases-learned', direct: 0xffff888000000, vmemmap: { hi: 0, lo: 0 } },
        { kind: 'area-allocated', start: 0xffffffffc0000, pages: 3, flags: 0, caller: 'x+0x1/0x2' },
        { kind: 'mapped', page: 0xffffffffc0000, pages: 2, shift: 12, prot: 11, frame: 0x100 },
        { kind: 'permission', space: 0, page: 0xffffffffc0000, pages: 1, set: 4, clear: 2 },
      ]),
    );
    const shown = memoryView(memory);
    expect(shown.page(0xffffffffc0000123n)).to.deep.equal({
      address: '0xffffffffc0000000',
      prot: 'r-x',
      pageSize: 4096,
      phys: '0x0000000000100000',
      cause: 4,
    });
    expect(shown.page('ffffffffc0002000')).to.equal(null);
    expect(shown.alias('0xffffffffc0001000')?.address).to.equal('0xffff888000101000');
    expect(shown.area('0xffffffffc0002fff')?.caller).to.equal('x+0x1/0x2');
    expect(() => shown.page('zebra')).to.throw(RangeError);
  });
});
