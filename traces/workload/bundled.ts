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
];

/** Path of a bundled workload; null: there is none of that name. */
export const bundledWorkload = (name: string): string | null => {
  const found = BUNDLED_WORKLOADS.find((one) => one.name === name || one.file === name);
  return found === undefined
    ? null
    : fileURLToPath(new URL(`../../../traces/bundled/workloads/${found.file}.json`, import.meta.url));
};
