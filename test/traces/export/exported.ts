import type { Event, Fact } from '../../../core/event/event.js';
import { eventOf } from '../../../core/event/event.js';
import type { ExportedTrace, ExportWriter } from '../../../traces/export/exportWriter.js';
import type { Words } from '../../../core/event/kind.js';
import { Address } from '../../../core/value/address.js';

export const TRACE: ExportedTrace = {
  name: 't',
  kernel: '6.1.0',
  arch: 'x86_64',
  origin: '6320058000',
  events: 7,
  root: 'ab'.repeat(32),
};

/** All that a writer makes of events, given in batches. */
export const written = (writer: ExportWriter, ...batches: readonly (readonly Event[])[]): Buffer =>
  Buffer.concat(
    [writer.begin(), ...batches.map((batch) => writer.add(batch)), writer.end()]
      .flatMap((parts) => Array.from(parts))
      .map((part) => Buffer.from(part as string)),
  );

interface Given {
  readonly seq: number;
  readonly time?: number;
  readonly cpu?: number;
  readonly task?: string;
  readonly call?: number;
}

export const event = (
  { seq, time = seq * 1000, cpu = 0, task = 'workload-1', call = 0 }: Given,
  fact: Fact,
): Event => eventOf({ seq, time, cpu, task, call, origin: 0 }, fact);

const words = (...values: readonly number[]): Words => ({ hi: values.map(() => 0), lo: values, texts: null });

export const entered = (fn: string, size = 1): Fact => ({
  kind: 'entered',
  fn,
  place: '',
  names: 'size',
  values: words(size),
});

export const returned = (fn: string, ret = 0): Fact => ({
  kind: 'returned',
  fn,
  place: '',
  names: 'ret',
  values: words(ret),
});

export const marker = (text: string): Fact => ({ kind: 'marker', text });

/** High kernel addresses are above 2^63: they must come out as they are. */
export const HIGH = Address.fromBigInt(0xffff_ffff_c000_0640n);

export const copied = (address = HIGH): Fact => ({
  kind: 'published',
  program: 0,
  start: address,
  end: Address.fromBigInt(Address.toBigInt(address) + 64n),
  name: 'bpf_prog_"quoted",\r\nbroken',
  id: 3,
  ksym: { hi: 0xffff8880, lo: 0x3df48d0 },
});
