import { x86_64 } from '../core/arch/x86_64.js';
import { emulate, type EmulateOptions } from '../core/driver/emulate/emulate.js';
import type { Event } from '../core/event/event.js';
import type { Memory } from '../core/memory/memory.js';
import { profileNamed } from '../core/profile/profiles.js';
import { churnWorkload } from './workload.js';

export interface ChurnOf {
  readonly kernel: string;
  /** Exactly so many: the emulation is cut off there. */
  readonly events: number;
  /** Programs that are live at the height of a wave. */
  readonly live: number;
  readonly seed: number;
  /** Seed of what the surroundings choose; `seed` unless given. */
  readonly choices?: number;
}

/** At least, with the settling between operations. */
const EVENTS_PER_OPERATION = 20;

/** Everything that decides the emulation. */
export const emulationOf = ({
  kernel,
  events,
  live,
  seed,
  choices = seed,
}: ChurnOf): Omit<EmulateOptions, 'emit' | 'onMachine'> => {
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(`there is no kernel ${kernel}`);
  const operations = Math.ceil(events / EVENTS_PER_OPERATION) + 100;
  const workload = churnWorkload({ name: `churn-${kernel}`, seed, live, operations });
  return { workload, profile, arch: x86_64, seed: choices };
};

/** Thrown through the emulation when there are enough events. */
class Enough extends Error {}

/** Runs the churn until there are so many events. `emit` gets each, with memory after it, and may end the run before by returning false. */
export const emulated = (
  options: ChurnOf,
  emit: (event: Event, memory: () => Memory) => boolean | void,
): void => {
  let left = options.events;
  let memory: (() => Memory) | null = null;
  try {
    emulate({
      ...emulationOf(options),
      onMachine: (machine) => {
        memory = machine.memory;
      },
      emit: (event) => {
        if (left-- === 0 || emit(event, memory as () => Memory) === false) throw new Enough();
      },
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return;
  }
  if (left > 0) throw new Error(`the workload ended ${left} events early`);
};
