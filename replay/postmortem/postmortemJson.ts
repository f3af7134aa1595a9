/** A post-mortem for machines. Addresses and raw values are hex texts. */
import { eventJson } from '../../core/codec/json.js';
import type { CodePlace, Oops } from '../../core/oops/oops.js';
import { protOf } from '../../core/oops/translation.js';
import { Address, pageText } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { historyJson } from '../history.js';
import { sizeOf } from '../ranges.js';
import type { PostMortem, Writer } from './postmortem.js';
import type { OopsScene, TracedScene } from './scene.js';

const addressText = (value: bigint | null): string | null =>
  value === null ? null : Address.toText(Address.fromBigInt(value));
const hex = (value: bigint | null): string | null => (value === null ? null : `0x${value.toString(16)}`);
const frameText = (pfn: number | null): string | null => (pfn === null ? null : pageText(pfn));

const codeJson = (place: CodePlace | null) =>
  place === null ? null : { ...place, address: addressText(place.address) };

const oopsJson = (oops: Oops) => ({
  arch: oops.arch,
  kind: oops.kind,
  line: oops.line,
  time_ns: oops.time === null ? null : String(oops.time),
  headline: oops.headline,
  address: addressText(oops.address),
  access: oops.access,
  present: oops.present,
  code: hex(oops.code),
  reason: oops.reason,
  pc: codeJson(oops.pc),
  lr: codeJson(oops.lr),
  registers: Object.fromEntries(Object.entries(oops.registers).map(([name, value]) => [name, hex(value)])),
  call_trace: oops.trace.map(codeJson),
  modules: oops.modules,
  cpu: oops.cpu,
  pid: oops.pid,
  comm: oops.comm,
  release: oops.release,
  tainted: oops.tainted,
});

const tableJson = ({ translation }: OopsScene) =>
  translation === null
    ? null
    : {
        levels: translation.levels.map(({ level, raw, flags, pfn }) => ({
          level,
          raw: hex(raw),
          flags,
          phys: frameText(pfn),
        })),
        prot: translation.present === null ? null : Prot.toText(protOf(translation)),
        page_size: translation.shift === null ? null : sizeOf(translation.shift),
        phys: frameText(translation.pfn),
      };

const placeJson = ({ place }: TracedScene) => {
  if (place === null) return null;
  const { address, space, base, entry, pfn, area, pack, program, symbol, content, gone, gonePacks } = place;
  return {
    address: Address.toText(address),
    space,
    direct_map: base === null ? null : { start: pageText(base.page), from: base.from },
    prot: entry === null ? null : Prot.toText(entry.prot),
    page_size: entry === null ? null : sizeOf(entry.shift),
    phys: frameText(pfn),
    cause: entry?.cause ?? null,
    area:
      area === null
        ? null
        : {
            start: pageText(area.start),
            end: pageText(area.start + area.pages),
            state: area.state,
            caller: area.caller,
          },
    pack: pack === null ? null : pageText(pack.start),
    program: program === null ? null : { number: program.number, name: program.name, state: program.state },
    symbol: symbol?.name ?? null,
    content: content?.kind ?? null,
    gone: gone.map(({ number, symbols, from, to }) => ({
      program: number,
      name: symbols.at(-1) ?? null,
      from,
      to,
    })),
    gone_packs: gonePacks.map(({ start, from, to }) => ({ start: pageText(start), from, to })),
  };
};

const writerJson = (writer: Writer | null) =>
  writer === null
    ? null
    : {
        event: eventJson(writer.event),
        calls: writer.calls,
        marker: writer.marker?.text ?? null,
        phase: writer.phase?.text ?? null,
      };

const tracedJson = (traced: TracedScene) => ({
  trace: traced.trace.name,
  seq: traced.moment.seq,
  moment: traced.moment.how,
  outside: traced.moment.outside,
  profile: traced.profile?.name ?? null,
  place: placeJson(traced),
  page: frameText(traced.page),
  history: traced.history.map(historyJson),
  alias: traced.alias.changes.map(({ event, from, to }) => ({
    seq: event.seq,
    kind: event.kind,
    from: from === null ? null : Prot.toText(from.prot),
    to: to === null ? null : Prot.toText(to.prot),
  })),
  failed: traced.failed.map(({ fn, seq, returned, result, page, pages, pfn }) => ({
    fn,
    seq,
    returned,
    result,
    start: frameText(page),
    pages,
    phys: frameText(pfn),
  })),
});

export const postMortemJson = ({
  scene,
  compared,
  permission,
  content,
  explanations,
  unknown,
  verdict,
}: PostMortem) => ({
  verdict,
  oops: oopsJson(scene.oops),
  page_table: tableJson(scene),
  explanations,
  traced: scene.traced === null ? null : tracedJson(scene.traced),
  compared,
  last_permission: writerJson(permission),
  last_content: writerJson(content),
  unknown,
});
