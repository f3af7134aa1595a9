/** Emulations that are not kept: run in memory, measured and audited while they run. */
import type { Arch } from '../core/arch/arch.js';
import { auditor, type Audited } from '../core/audit/audit.js';
import { RULES } from '../core/audit/rules.js';
import { emulate } from '../core/driver/emulate/emulate.js';
import { faultsOf, type Fault } from '../core/driver/emulate/faults.js';
import type { Event } from '../core/event/event.js';
import { nothing, type Memory } from '../core/memory/memory.js';
import type { Profile } from '../core/profile/profile.js';
import type { Workload } from '../core/workload/workload.js';
import { measure, type Figures } from './matrix/measure.js';

const emptyMemory = (): Memory => nothing;

export interface EmulationOptions {
  readonly workload: Workload;
  readonly profile: Profile;
  readonly arch: Arch;
  readonly seed?: number;
  readonly nodes?: number;
  /** Calls that are to fail. */
  readonly faults?: readonly Fault[];
}

/** A run and what is to be said of it. */
export interface EmulationRun {
  readonly kernel: { readonly profile: Profile; readonly arch: Arch };
  /** Facts before the first event, then all events. */
  readonly given: readonly Event[];
  readonly events: readonly Event[];
  /** Memory at the end. */
  readonly memory: Memory;
  readonly figures: Figures;
  readonly audited: Audited;
  /** How often each fault happened, in their order. */
  readonly happened: readonly number[];
}

/** Emulates a workload in memory, without a log. All events are kept: for workloads of some hundred operations. */
export const runEmulation = (options: EmulationOptions): EmulationRun => {
  const { workload, profile, arch } = options;
  const events: Event[] = [];
  const failing = faultsOf(options.faults ?? []);
  let memory = emptyMemory;
  const figures = measure(profile, () => memory(), arch);
  const done = emulate({
    workload,
    profile,
    arch,
    seed: options.seed ?? 1,
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    ...(options.faults === undefined ? {} : { fail: failing.failing }),
    before: (operation) => {
      failing.began(operation);
      return true;
    },
    onMachine: (machine) => {
      memory = machine.memory;
    },
    emit: (event) => {
      events.push(event);
      figures.take(event);
    },
  });
  const audit = auditor(
    { profile, arch, kernel: profile.name, source: 'emulation', missing: null },
    done.given,
    RULES,
  );
  audit.feed(events);
  return {
    kernel: { profile, arch },
    given: done.given,
    events,
    memory: done.memory,
    figures: figures.finish(),
    audited: audit.finish(),
    happened: failing.happened(),
  };
};
