/** The types live in core, where the emulator runs them; files are read, checked and written here. */
export type * from '../../core/workload/workload.js';
