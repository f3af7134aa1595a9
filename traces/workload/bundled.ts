import { fileURLToPath } from 'node:url';

/** Workloads that come with pagetrail, by the names that commands take instead of a file. */
export const BUNDLED_WORKLOADS: readonly {
  readonly name: string;
  readonly file: string;
  readonly about: string;
}[] = [
  { name: 'pack-basic', file: 'S1-pack-basic', about: 'ten small programs come and go' },
  {
    name: 'subprogs-classic',
    file: 'S3-subprogs-classic',
    about: 'programs of several functions, classic filters, tail calls, XDP',
  },
  {
    name: 'leftover-dirty',
    file: 'S8-leftover-dirty',
    about: 'twenty programs on memory that a user had filled',
  },
  { name: 'one-program', file: 'one-program', about: 'one program, loaded and given back' },
  { name: 'two-programs', file: 'two-programs', about: 'two programs, given back one after the other' },
  { name: 'seven-programs', file: 'seven-programs', about: 'the programs of runqslower' },
  { name: 'forty-programs', file: 'forty-programs', about: '40 programs of 448 bytes' },
  { name: 'two-hundred-programs', file: 'two-hundred-programs', about: '200 programs of 1 KiB' },
  { name: 'two-cpus', file: 'two-cpus', about: 'two CPUs, each with two programs that come and go' },
  { name: 'larger-than-a-pack', file: 'larger-than-a-pack', about: 'a program of 2.5 MB' },
];

/** Path of a bundled workload; null: there is none of that name. */
export const bundledWorkload = (name: string): string | null => {
  const found = BUNDLED_WORKLOADS.find((one) => one.name === name || one.file === name);
  return found === undefined
    ? null
    : fileURLToPath(new URL(`../../../traces/bundled/workloads/${found.file}.json`, import.meta.url));
};
