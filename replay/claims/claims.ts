import { ARCHITECTURE_CLAIMS } from './architectures.js';
import type { Claim } from './claim.js';
import { CONTENT_CLAIMS } from './content.js';
import { DIRECT_MAP_CLAIMS } from './directMap.js';
import { ERROR_CLAIMS } from './errors.js';
import { FRAGMENT_CLAIMS } from './fragments.js';
import { NOT_RUN } from './notRun.js';
import { PAGE_CLAIMS } from './pages.js';

const numberOf = ({ id }: Claim): number => Number(id.slice(1));

/** All claims, C1 to C32. */
export const CLAIMS: readonly Claim[] = [
  ...ARCHITECTURE_CLAIMS,
  ...CONTENT_CLAIMS,
  ...DIRECT_MAP_CLAIMS,
  ...ERROR_CLAIMS,
  ...FRAGMENT_CLAIMS,
  ...PAGE_CLAIMS,
  ...NOT_RUN,
].toSorted((a, b) => numberOf(a) - numberOf(b));
