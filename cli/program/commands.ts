import type { Command } from './command.js';

/** A command as the list of commands shows it. The rest is loaded when it is asked for: start-up stays fast. */
export interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<Command>;
}

const GET = 'Get a trace:';
const LOOK = 'Look at it:';
const CHECK = 'Check it:';
const KEEP = 'Keep it:';
const ASK = 'Ask all kernels:';

/** All commands, in the order of the help. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'start',
    summary: 'the story in one screen: two recordings of real kernels, and what they show',
    group: GET,
    load: async () => (await import('../start.js')).start,
  },
  {
    name: 'import',
    summary: 'turn a recording of a real kernel into a trace of the log',
    group: GET,
    load: async () => (await import('../import.js')).importCommand,
  },
  {
    name: 'simulate',
    summary: 'run a workload on an emulated kernel: another trace of the log',
    group: GET,
    load: async () => (await import('../simulate.js')).simulateCommand,
  },
  {
    name: 'branch',
    summary: 'what if: go on otherwise from a moment of an emulation',
    group: GET,
    load: async () => (await import('../branch.js')).branch,
  },
  {
    name: 'workload',
    summary: 'convert a capture into a workload file',
    group: GET,
    load: async () => (await import('../workload.js')).workloadCommand,
  },
  {
    name: 'probes',
    summary: 'print the script that records on a host without Node',
    group: GET,
    load: async () => (await import('../probes.js')).probes,
  },
  {
    name: 'record',
    summary: 'record this host into the log, as root',
    group: GET,
    load: async () => (await import('../record.js')).record,
  },
  {
    name: 'traces',
    summary: 'list the traces of the log',
    group: LOOK,
    load: async () => (await import('../traces.js')).traces,
  },
  {
    name: 'events',
    summary: 'list the events of a trace',
    group: LOOK,
    load: async () => (await import('../events.js')).events,
  },
  {
    name: 'state',
    summary: 'executable memory at a moment',
    group: LOOK,
    load: async () => (await import('../state.js')).state,
  },
  {
    name: 'diff',
    summary: 'what differs between two moments, or between two traces',
    group: LOOK,
    load: async () => (await import('../diff.js')).diff,
  },
  {
    name: 'history',
    summary: 'everything that happened to an address, a program or a pack',
    group: LOOK,
    load: async () => (await import('../history.js')).history,
  },
  {
    name: 'last',
    summary: 'the last change of an address, a program or a pack',
    group: LOOK,
    load: async () => (await import('../last.js')).last,
  },
  {
    name: 'first',
    summary: 'the first change of one after a moment',
    group: LOOK,
    load: async () => (await import('../first.js')).first,
  },
  {
    name: 'why',
    summary: 'the calls that led to the last change',
    group: LOOK,
    load: async () => (await import('../why.js')).why,
  },
  {
    name: 'bisect',
    summary: 'the first event that makes a predicate over memory true',
    group: LOOK,
    load: async () => (await import('../bisect.js')).bisect,
  },
  {
    name: 'shell',
    summary: 'step through a trace, forward and back, in one session',
    group: LOOK,
    load: async () => (await import('../shell.js')).shell,
  },
  {
    name: 'sql',
    summary: 'ask the log in SQL',
    group: LOOK,
    load: async () => (await import('../sql.js')).sql,
  },
  {
    name: 'conform',
    summary: 'compare the rebuilt memory with dumps of the real kernel',
    group: CHECK,
    load: async () => (await import('../conform.js')).conformCommand,
  },
  {
    name: 'audit',
    summary: 'judge the whole permission history by rules, with evidence',
    group: CHECK,
    load: async () => (await import('../audit.js')).audit,
  },
  {
    name: 'explore',
    summary: 'try every fault of a workload on a kernel: the smallest counterexample of each rule',
    group: CHECK,
    load: async () => (await import('../explore.js')).explore,
  },
  {
    name: 'postmortem',
    summary: 'explain an oops: what the faulting page went through, which known failures fit',
    group: CHECK,
    load: async () => (await import('../postmortem.js')).postmortem,
  },
  {
    name: 'matrix',
    summary: 'one workload on several kernels and architectures, side by side',
    group: ASK,
    load: async () => (await import('../matrix.js')).matrix,
  },
  {
    name: 'claims',
    summary: 'what was said about this code, run: confirmed or refuted',
    group: ASK,
    load: async () => (await import('../claims.js')).claims,
  },
  {
    name: 'verify',
    summary: 'walk the hash chain of a trace: was it altered, is it whole',
    group: CHECK,
    load: async () => (await import('../verify.js')).verify,
  },
  {
    name: 'checkpoint',
    summary: 'say in a few signed lines what a trace holds, to keep elsewhere',
    group: CHECK,
    load: async () => (await import('../checkpoint.js')).checkpointCommand,
  },
  {
    name: 'prove',
    summary: 'prove an event, or that nothing before was changed',
    group: CHECK,
    load: async () => (await import('../prove.js')).prove,
  },
  {
    name: 'check-proof',
    summary: 'check such a proof, without the log',
    group: CHECK,
    load: async () => (await import('../checkProof.js')).checkProof,
  },
  {
    name: 'key',
    summary: 'make keys to sign checkpoints with',
    group: CHECK,
    load: async () => (await import('../key.js')).keyCommand,
  },
  {
    name: 'export',
    summary: 'write the events of a trace as JSON Lines',
    group: KEEP,
    load: async () => (await import('../export.js')).exportCommand,
  },
  {
    name: 'remove',
    summary: 'remove a trace for good',
    group: KEEP,
    load: async () => (await import('../remove.js')).remove,
  },
];
