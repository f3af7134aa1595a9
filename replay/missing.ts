import type { TraceView } from './log.js';

/** How it is known that lines of a recording are missing, nobody knows where: at no moment of it is a state certain. Null: none are. */
export const missingLines = ({ info }: TraceView): string | null => {
  const missing = info.summary?.['missing'];
  return typeof missing === 'string' ? missing : null;
};
