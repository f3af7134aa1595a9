/** Failures that are told by the function that faulted. */
import { names, tried } from './asks.js';
import { onlyOfKernel, type KnownFailure } from './failure.js';

export const F29: KnownFailure = {
  id: 'F29',
  title:
    'pages of ITS thunks have the wrong permission: whether execmem gives RW or ROX memory was taken for granted',
  affected: '6.15 and 6.16-rc, stable kernels of May 2025',
  fix: 'a82b26451de1 "x86/its: explicitly manage permissions for ITS pages", 0b0cae7119a0, 3c902383f2da, 47410d839fcd',
  explains: 'fault',
  questions: [tried('write', 'execute'), names(/^its_/, 3)],
};

export const F31: KnownFailure = {
  id: 'F31',
  title: 'cpa_flush reads one past its array of pages',
  affected: '6.18-rc',
  fix: 'f25785f9b088 "x86/mm: Fix overflow in __cpa_addr()"',
  explains: 'fault',
  questions: [
    tried('read'),
    names(/^(?:cpa_flush|__cpa_addr)/, 3),
    onlyOfKernel('6.18-rc1', '6.18', '6.18-rc'),
  ],
};

export const F32: KnownFailure = {
  id: 'F32',
  title: 'the int3 handler searches an array of pokes that is not sorted, or is too long',
  affected: '6.16-rc',
  fix: '2aebf5ee43bf "x86/alternatives: Fix int3 handling failure from broken text_poke array"',
  explains: 'fault',
  questions: [
    names(/text_poke_int3_handler|poke_int3_handler/, 3),
    onlyOfKernel('6.16-rc1', '6.16', '6.16-rc'),
  ],
};
