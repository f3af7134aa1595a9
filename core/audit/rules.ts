import type { Rule } from './rule.js';
import { F40, I14, I2, I22 } from './rules/aliases.js';
import { I13, I20 } from './rules/areas.js';
import { I1 } from './rules/content.js';
import { I8 } from './rules/flush.js';
import { F28, F39, I11, I12, I15 } from './rules/leaves.js';
import { I3 } from './rules/released.js';

/** All rules, in the order of their ids. */
export const RULES: readonly Rule[] = [I1, I2, I3, I8, I11, I12, I13, I14, I15, I20, I22, F28, F39, F40];
