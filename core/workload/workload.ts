/**
 * A workload: what programs do to the BPF machinery, as a list of operations on slots, with the choices that the kernel's
 * surroundings made where they are known (how long the code is, the random offset, when deferred frees ran). It says
 * nothing about any kernel's reaction: the same list can be run on every kernel and architecture. docs/workload.md is its
 * reference; field names are those of the JSON file.
 */

/** Where a tail call sits in a function's code: offsets of the 5-byte jump and of the 5-byte bypass before it. */
export interface TailCall {
  /** Index in the program array. */
  readonly key: number;
  readonly jump: number;
  readonly bypass: number;
}

/** One function of a program: what the JIT asks for. */
export interface WorkloadFunction {
  /** Bytes the JIT asks the allocator for (`proglen`), without header. */
  readonly image: number;
  /** Bytes of code (`jited_len`); absent: unknown, as in a load that got no memory; take `image`. */
  readonly code?: number;
  /** Bytes of code after the first of two passes, where the last one changed them (arm64, riscv64). */
  readonly first_code?: number;
  /** Choice: bytes from the chunk (header) to the entry (`bpf_func`). */
  readonly offset?: number;
  readonly insns?: number;
  /** 16 hex digits: a function's symbol is bpf_prog_TAG_F. */
  readonly tag?: string;
  readonly tail_calls: readonly TailCall[];
  /** What the recorded kernel answered: to compare with, never to be taken over. */
  readonly recorded?: { readonly chunk: string };
}

/** A deferred free that took effect in the middle of a load. */
export interface FreeDuring {
  /** So many functions of the load had their memory by then: 1 up to all but one. */
  readonly after: number;
  readonly program: string;
  readonly function: number;
}

interface Common {
  /** Text that the recorder wrote to trace_marker just before: `op 1: load slot=0 …`. */
  readonly mark?: string;
  /** The CPU whose task does it; default 0. Without a schedule the operations run one after the other all the same. */
  readonly cpu?: number;
}

/** What the recorded kernel said to an operation: to compare with, not an input. */
export interface RecordedOutcome {
  /** 0 = done. */
  readonly errno: number;
}

/** bpf(BPF_PROG_LOAD). With more than one function each is compiled twice, all first passes before all second ones. */
export interface LoadOperation extends Common {
  readonly op: 'load';
  /** Label, unique in the workload; also the program's name unless `name` is given. */
  readonly program: string;
  readonly name?: string;
  /** Holds the file descriptor until it is closed; null: not kept. */
  readonly slot: number | null;
  readonly type: string;
  readonly insns: number;
  readonly id?: number;
  /** 16 hex digits. */
  readonly tag?: string;
  /** The task has CAP_BPF: no charge limit for it, and the program gets a symbol. */
  readonly capable: boolean;
  /** The JIT compiles a blinded copy (bpf_jit_harden). */
  readonly blinded: boolean;
  /** The verifier turns it down: the JIT never sees it. */
  readonly fails?: 'verifier';
  /** Main first. Empty for a program that fails in the verifier, or was never compiled. */
  readonly functions: readonly WorkloadFunction[];
  readonly during: readonly FreeDuring[];
  readonly recorded?: RecordedOutcome;
}

/** setsockopt(SO_ATTACH_FILTER): a classic filter, one function, no symbol; what the socket had before is released. */
export interface AttachClassicOperation extends Common {
  readonly op: 'attach_classic';
  readonly program: string;
  readonly socket: number;
  /** Classic instructions. */
  readonly insns: number;
  readonly capable: boolean;
  readonly functions: readonly WorkloadFunction[];
  readonly recorded?: RecordedOutcome;
}

export interface DetachClassicOperation extends Common {
  readonly op: 'detach_classic';
  readonly socket: number;
  readonly recorded?: RecordedOutcome;
}

/** close(2): the symbols go at once, the memory later (`free` or `settle`). */
export interface CloseOperation extends Common {
  readonly op: 'close';
  readonly slot: number;
}

/** A deferred bpf_jit_free takes effect: of one function, or of all that are left of the program. */
export interface FreeOperation extends Common {
  readonly op: 'free';
  readonly program: string;
  readonly function?: number;
}

/** All deferred work runs, in the order in which it was put off. */
export interface SettleOperation extends Common {
  readonly op: 'settle';
}

/** A line written to trace_marker: `phase: loaded8`. */
export interface MarkerOperation {
  readonly op: 'marker';
  readonly text: string;
}

/** Writes /proc/sys/net/core/bpf_jit_limit. */
export interface SetJitLimitOperation extends Common {
  readonly op: 'set_jit_limit';
  readonly bytes: number;
  readonly recorded?: RecordedOutcome;
}

/** Fills map memory with a pattern of the user's choice and gives part of it back: what free memory holds afterwards. */
export interface DirtyOperation extends Common {
  readonly op: 'dirty';
  readonly maps: number;
  readonly deleted: number;
}

/** Attaches the slot's program to a device in the driver's hook: the XDP dispatcher is (made and) filled. */
export interface AttachXdpOperation extends Common {
  readonly op: 'attach_xdp';
  readonly slot: number;
  readonly recorded?: RecordedOutcome;
}

export interface DetachXdpOperation extends Common {
  readonly op: 'detach_xdp';
}

/** Puts the slot's program (null: nothing) into the program array: jumps in live code are patched. */
export interface TailCallUpdateOperation extends Common {
  readonly op: 'tail_call_update';
  readonly key: number;
  readonly slot: number | null;
  readonly recorded?: RecordedOutcome;
}

/** The program array is emptied by deferred work, after the last file descriptor was closed. */
export interface TailCallClearOperation extends Common {
  readonly op: 'tail_call_clear';
}

/** A trampoline gets a new image: a program was attached to, or taken from, a kernel function. The old image goes. 0 bytes: the last program is gone. */
export interface TrampolineOperation extends Common {
  readonly op: 'trampoline';
  readonly trampoline: number;
  /** Bytes of code. */
  readonly bytes: number;
}

export type WorkloadOperation =
  | LoadOperation
  | AttachClassicOperation
  | DetachClassicOperation
  | CloseOperation
  | FreeOperation
  | SettleOperation
  | MarkerOperation
  | SetJitLimitOperation
  | DirtyOperation
  | AttachXdpOperation
  | DetachXdpOperation
  | TailCallUpdateOperation
  | TailCallClearOperation
  | TrampolineOperation;

/** A vmalloc area of the executable range that is there before the first operation. */
export interface BootArea {
  /** `0x…`. */
  readonly start: string;
  /** Exclusive, guard page included. */
  readonly end: string;
  /** `symbol+offset/size`; `''`: unknown. */
  readonly caller: string;
  readonly pages?: number;
}

/** A pack that is there before the first operation. */
export interface BootPack {
  readonly start: string;
  /** Without guard page. */
  readonly bytes: number;
  /** Taken runs, ascending; null: not known. */
  readonly chunks: readonly { readonly offset: number; readonly bytes: number }[] | null;
}

/** What exists before the first operation. */
export interface WorkloadBoot {
  /** Bytes. */
  readonly jit_limit?: number;
  /** Bytes charged so far; null: not known. */
  readonly jit_charged: number | null;
  readonly areas: readonly BootArea[];
  readonly packs: readonly BootPack[];
}

export interface Workload {
  /** Version of the format. */
  readonly pagetrail_workload: 1;
  readonly name: string;
  readonly note?: string;
  /** The recording it was taken from. */
  readonly origin?: { readonly kernel: string; readonly arch: string };
  readonly boot?: WorkloadBoot;
  readonly operations: readonly WorkloadOperation[];
}
