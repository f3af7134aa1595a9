/** Names of programs by their number: what does not change between two recordings of the same work. */
import type { Event } from '../event/event.js';
import { Memory } from '../memory/memory.js';
import type { Watch } from './rule.js';

export interface ProgramNames {
  readonly watch: Watch;
  /** The first symbol that was published for it, `bpf_prog_TAG_NAME`; null: none was. */
  readonly of: (program: number) => string | null;
}

export const programNames = (given: () => Memory): ProgramNames => {
  const names = new Map<number, string>();
  const add = (event: Event): void => {
    if (event.kind === 'published' && event.program !== 0 && !names.has(event.program))
      names.set(event.program, event.name);
  };
  return {
    watch: {
      begin: () => {
        for (const symbol of Memory.symbols(given()))
          if (symbol.program !== 0) names.set(symbol.program, symbol.name);
      },
      after: { published: add },
    },
    of: (program) => names.get(program) ?? null,
  };
};
