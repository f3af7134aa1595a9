import type { Rule } from './rule.js';
import { F40, I14, I2, I22 } from './rules/aliases.js';
import { I13, I20 } from './rules/areas.js';
import { I6 } from './rules/charge.js';
import { I19, I4, I5 } from './rules/chunks.js';
import { I1 } from './rules/content.js';
import { I8 } from './rules/flush.js';
import { I9 } from './rules/instructionCache.js';
import { F28, F39, I11, I12, I15 } from './rules/leaves.js';
import { I17, I23 } from './rules/lifecycle.js';
import { I21 } from './rules/locks.js';
import { I18 } from './rules/predictor.js';
import { I10 } from './rules/references.js';
import { I3 } from './rules/released.js';
import { I7 } from './rules/results.js';
import { I16 } from './rules/writes.js';

/** All rules, in the order of their ids. */
export const RULES: readonly Rule[] = [
  I1,
  I2,
  I3,
  I4,
  I5,
  I6,
  I7,
  I8,
  I9,
  I10,
  I11,
  I12,
  I13,
  I14,
  I15,
  I16,
  I17,
  I18,
  I19,
  I20,
  I21,
  I22,
  I23,
  F28,
  F39,
  F40,
];
