/** The failures of kernel-model.md §8.2 that an oops can show. docs/post-mortem.md says why the others are not here. */
import { F19, F20, F21 } from './arm64.js';
import type { KnownFailure } from './failure.js';
import { F29, F31, F32 } from './others.js';
import { F1, F11, F12, F2, F3, F34, F6 } from './packs.js';
import { F10, F13, F14, F16, F27, F28, F40, F9 } from './permissions.js';

export const FAILURES: readonly KnownFailure[] = [
  F1,
  F2,
  F3,
  F6,
  F9,
  F10,
  F11,
  F12,
  F13,
  F14,
  F16,
  F19,
  F20,
  F21,
  F27,
  F28,
  F29,
  F31,
  F32,
  F34,
  F40,
];
