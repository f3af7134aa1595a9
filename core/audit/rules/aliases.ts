/** Rules about one page and its alias in the direct map: I2, I14, I22 and the dirty read-only page of F40. */
import type { PageEntry } from '../../memory/pageTable.js';
import { Address, pageText, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import type { Finding, Severity } from '../finding.js';
import { DIRECT_MAP, PERMISSIONS, type Need } from '../needs.js';
import { always, type Audit, type Rule, type Watch } from '../rule.js';
import { pagePair, settledPages } from '../settled.js';
import { standing, type StandingRun } from '../standing.js';

/** What a look at a page found: a pattern that is broken there, with the event that proves it; null: fine. */
interface Broken {
  readonly proof: number;
}

interface Look {
  readonly pattern: string;
  readonly failures: readonly string[];
  /** `unknown`: not to be said; text: why. */
  readonly at: (entry: PageEntry, alias: PageEntry | null, audit: Audit) => Broken | null | string;
  readonly message: (range: string) => string;
  readonly shows: string;
}

const is = (entry: PageEntry, bit: number): boolean => Prot.has(entry.prot, bit);
const isUnknown = (entry: PageEntry, bit: number): boolean => Prot.isUnknown(entry.prot, bit);
const executable = (entry: PageEntry): boolean => is(entry, Prot.present) && is(entry, Prot.executable);
const writable = (entry: PageEntry): boolean => is(entry, Prot.present) && is(entry, Prot.writable);

export const rangeText = (page: number, pages: number): string =>
  pages === 1 ? `page ${pageText(page)}` : `pages ${pageText(page)} to ${pageText(page + pages)}`;

/** Looks at every page whenever it, or its alias, has changed. */
const pageRule =
  (looks: readonly Look[]) =>
  (audit: Audit): Watch => {
    const stands = looks.map((look) =>
      standing(({ page, pages, from, to, proof }: StandingRun) => {
        const finding: Omit<Finding, 'rule'> = {
          pattern: look.pattern,
          message: look.message(rangeText(page, pages)),
          start: Address.of(page),
          bytes: pages * PAGE_SIZE,
          space: 'virtual',
          from,
          to,
          evidence: [
            { seq: proof, shows: look.shows },
            ...(to === null ? [] : [{ seq: to, shows: 'ended it' }]),
          ],
          failures: look.failures,
        };
        audit.report(finding);
      }),
    );
    const settled = settledPages(audit, (page, seq) => {
      const { entry, alias } = pagePair(audit.memory(), page);
      if (entry !== null) audit.checked(null);
      for (const [index, look] of looks.entries()) {
        const stand = stands[index] as (typeof stands)[number];
        const found = entry === null ? null : look.at(entry, alias, audit);
        if (typeof found === 'string') audit.unknown(found, page);
        if (found === null || typeof found === 'string') stand.close(page, seq);
        else stand.open(page, seq, found.proof);
      }
    });
    return {
      ...settled,
      end: () => {
        settled.end?.();
        for (const stand of stands) stand.tell(true);
      },
    };
  };

const UNKNOWN_PROT = 'the permission of the page is not known';
const UNKNOWN_ALIAS = 'the direct-map alias of the page is not known';

const WRITABLE_EXECUTABLE: Look = {
  pattern: 'a page is writable and executable',
  failures: ['F10', 'F16', 'F38'],
  at: (entry) => {
    if (isUnknown(entry, Prot.executable) || isUnknown(entry, Prot.present)) return UNKNOWN_PROT;
    if (!executable(entry)) return null;
    if (isUnknown(entry, Prot.writable)) return UNKNOWN_PROT;
    return writable(entry) ? { proof: entry.cause } : null;
  },
  message: (range) => `${range} could be written and executed through one mapping`,
  shows: 'made it both writable and executable',
};

const WRITABLE_ALIAS: Look = {
  pattern: 'the direct-map alias of an executable page is writable',
  failures: ['F13', 'F18'],
  at: (entry, alias) => {
    if (isUnknown(entry, Prot.executable)) return UNKNOWN_PROT;
    if (!executable(entry) || writable(entry)) return null;
    if (alias === null) return UNKNOWN_ALIAS;
    if (isUnknown(alias, Prot.writable) || isUnknown(alias, Prot.present)) return UNKNOWN_ALIAS;
    return writable(alias) ? { proof: Math.max(entry.cause, alias.cause) } : null;
  },
  message: (range) => `${range} could be executed while the same memory was writable through the direct map`,
  shows: 'left the page executable and its alias writable',
};

const EXECUTABLE_ALIAS: Look = {
  pattern: 'the direct-map alias of a page is executable',
  failures: ['F13'],
  at: (_entry, alias) => {
    if (alias === null) return null;
    if (isUnknown(alias, Prot.executable)) return null;
    return executable(alias) ? { proof: alias.cause } : null;
  },
  message: (range) => `${range}: the alias in the direct map could be executed`,
  shows: 'left the alias executable',
};

const READ_ONLY_NOT_MIRRORED: Look = {
  pattern: 'a read-only page has a writable alias',
  failures: ['F18'],
  at: (entry, alias) => {
    if (isUnknown(entry, Prot.writable | Prot.present)) return UNKNOWN_PROT;
    if (!is(entry, Prot.present) || is(entry, Prot.writable)) return null;
    if (alias === null) return UNKNOWN_ALIAS;
    if (isUnknown(alias, Prot.writable) || isUnknown(alias, Prot.present)) return UNKNOWN_ALIAS;
    return writable(alias) ? { proof: entry.cause } : null;
  },
  message: (range) => `${range} became read-only, its alias in the direct map stayed writable`,
  shows: 'made the page read-only and not its alias',
};

const ABSENT_ALIAS: Look = {
  pattern: 'the direct map lacks executable memory that is in use',
  failures: ['F27'],
  at: (entry, alias) => {
    if (isUnknown(entry, Prot.executable)) return UNKNOWN_PROT;
    if (!executable(entry)) return null;
    if (alias === null) return UNKNOWN_ALIAS;
    if (isUnknown(alias, Prot.present)) return UNKNOWN_ALIAS;
    return is(alias, Prot.present) ? null : { proof: alias.cause };
  },
  message: (range) =>
    `${range}: what reads the direct map (/proc/kcore, hibernation, kmemleak) would fault there`,
  shows: 'took the alias out of the direct map',
};

const READ_ONLY_DIRTY: Look = {
  pattern: 'a read-only page has the dirty bit set',
  failures: ['F40'],
  at: (entry) => {
    if (isUnknown(entry, Prot.writable | Prot.present)) return UNKNOWN_PROT;
    if (!is(entry, Prot.present) || is(entry, Prot.writable)) return null;
    if (isUnknown(entry, Prot.dirty)) return 'whether the dirty bit of the page is set is not known';
    return is(entry, Prot.dirty) ? { proof: entry.cause } : null;
  },
  message: (range) => `${range}: read-only with the dirty bit set, as a shadow stack looks`,
  shows: 'took the write permission and left the dirty bit',
};

const rule = (
  id: string,
  title: string,
  severity: Severity,
  rationale: string,
  exceptions: readonly string[],
  looks: readonly Look[],
  needs: readonly Need[],
  applies: Rule['applies'] = always,
): Rule =>
  Object.freeze({
    id,
    title,
    severity,
    rationale,
    exceptions,
    applies,
    needs: () => needs,
    watch: pageRule(looks),
  });

const X86 = /^x86/;
const onlyX86: Rule['applies'] = ({ arch }) =>
  arch === null || X86.test(arch.name) ? null : 'only x86 has this pattern';

const whereMirrored: Rule['applies'] = ({ arch, profile }) =>
  arch === null || profile === null || arch.mirrorsReadOnly(profile)
    ? null
    : 'on this architecture nothing mirrors permissions in the direct map';

export const I2 = rule(
  'I2',
  'no memory is writable and executable at the same time, through any of its mappings',
  'error',
  'Whoever can write to memory that the kernel executes runs code of their own. A second mapping counts: the direct map shows the same memory at another address.',
  [
    'While a call that changes permissions is on its way, only its end counts.',
    'The copy window of text_poke (a mapping of its own, never executable) does not count.',
    'Until 6.0 the dispatcher page stays writable and executable by design (F16): it is reported.',
  ],
  [WRITABLE_EXECUTABLE, WRITABLE_ALIAS],
  [PERMISSIONS, DIRECT_MAP],
);

export const I14 = rule(
  'I14',
  'what is read-only is read-only in the direct map too, and the direct map is never executable',
  'error',
  'set_memory_ro mirrors the change to the alias on x86: where it does not, read-only is a word.',
  ['Only where the architecture mirrors permissions.'],
  [READ_ONLY_NOT_MIRRORED, EXECUTABLE_ALIAS],
  [PERMISSIONS, DIRECT_MAP],
  whereMirrored,
);

export const I22 = rule(
  'I22',
  'executable memory in use stays present in the direct map',
  'warning',
  '/proc/kcore, hibernation and kmemleak read memory through the direct map.',
  [],
  [ABSENT_ALIAS],
  [PERMISSIONS, DIRECT_MAP],
);

export const F40 = rule(
  'F40',
  'no read-only page has the dirty bit set',
  'note',
  'RW=0 with D=1 is how x86 marks a shadow stack: with shadow stacks in the kernel, such a page could be written by call instructions. set_memory_ro cleared only RW until 6.5.',
  [],
  [READ_ONLY_DIRTY],
  [PERMISSIONS],
  onlyX86,
);
