/**
 * `kallsyms.txt`: lines of /proc/kallsyms (kernel/kallsyms.c, `s_show`), those in the executable area only.
 *
 *     ffffffffc000065c t bpf_prog_db73f85724b15e57_p1_23<TAB>[bpf]
 */
import { Address } from '../../core/value/address.js';
import { eachLine } from './lines.js';
import { quoted, type Problems } from './problems.js';

export interface DumpedSymbol {
  readonly address: Address;
  /** nm's letter: `t`, `T`, `d`… */
  readonly type: string;
  readonly name: string;
  /** `bpf`, `__builtin__ftrace`, a module's name; null for the kernel itself. */
  readonly module: string | null;
}

const LINE = /^([0-9a-f]{8,16}) ([A-Za-z]) ([^\t]+)(?:\t\[([^\]]+)\])?$/;

/** Text of a kallsyms.txt to symbols, in the order of the file. */
export const parseKallsyms = (text: string, file: string, problems: Problems): readonly DumpedSymbol[] => {
  const symbols: DumpedSymbol[] = [];
  eachLine(text, (line, number) => {
    if (line === '') return;
    const m = LINE.exec(line);
    const address = m === null ? null : Address.parse(m[1] ?? '');
    if (m === null || address === null) {
      problems.add(file, number, `not a kallsyms line: ${quoted(line)}`);
      return;
    }
    symbols.push({ address, type: m[2] ?? '', name: m[3] ?? '', module: m[4] ?? null });
  });
  return symbols;
};
