/** I10: struct pages of a large mapping. */
import { type Audit, type Rule, type Subject, type Watch } from '../rule.js';

const NO_REFERENCES =
  'page references are not recorded; on this kernel the pages behind a large mapping are one compound page, so that a reference to one of them keeps or frees all (F7)';

const watch = (audit: Audit): Watch => ({
  after: {
    mapped: (event) => {
      if (event.shift <= 12) return;
      audit.checked(event);
      audit.unknown(NO_REFERENCES, event.page, event.pages);
    },
  },
});

export const I10: Rule = Object.freeze({
  id: 'I10',
  title: 'a reference to one page of an area neither keeps nor frees another',
  severity: 'error',
  rationale:
    'Drivers take references to single pages of vmalloc areas; of a compound page they take them all, and "Bad page state" follows.',
  exceptions: [
    'References are not recorded: of kernels whose large areas are compound pages (5.18-rc1 to rc3) the verdict is unknown.',
  ],
  applies: ({ profile }: Subject) =>
    profile === null || profile.hugeVmalloc === 'opt-out'
      ? null
      : 'on this kernel the pages of an area are never one compound page',
  beyond: NO_REFERENCES,
  watch,
});
