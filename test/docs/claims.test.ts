import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { format } from 'prettier';
import { labs } from '../../cli/claims/lab.js';
import { claimsPage } from '../../cli/show/claimsPage.js';
import { judge, type ClaimVerdict, type JudgedClaim } from '../../replay/claims/claim.js';
import { CLAIMS } from '../../replay/claims/claims.js';

const PAGE = new URL('../../../docs/claims.md', import.meta.url);

/** kernel-model.md §1.3. A verdict that changes is a change of the model. */
const VERDICTS: Readonly<Record<string, ClaimVerdict>> = {
  C1: 'confirmed',
  C2: 'confirmed',
  C3: 'refuted',
  C4: 'confirmed',
  C5: 'confirmed',
  C6: 'confirmed',
  C7: 'refuted',
  C8: 'confirmed',
  C9: 'refuted',
  C10: 'confirmed',
  C11: 'both',
  C12: 'both',
  C13: 'confirmed',
  C14: 'confirmed',
  C15: 'confirmed',
  C16: 'not run',
  C17: 'confirmed',
  C18: 'confirmed',
  C19: 'confirmed',
  C20: 'confirmed',
  C21: 'confirmed',
  C22: 'confirmed',
  C23: 'confirmed',
  C24: 'confirmed',
  C25: 'open',
  C26: 'not run',
  C27: 'not run',
  C28: 'confirmed',
  C29: 'confirmed',
  C30: 'confirmed',
  C31: 'not run',
  C32: 'not run',
};

describe('The claims', () => {
  let judged: readonly JudgedClaim[];
  before(async () => {
    const lab = await labs();
    judged = CLAIMS.map((claim) => judge(claim, lab));
  });

  it('are told with the verdicts that their runs show', () => {
    expect(Object.fromEntries(judged.map(({ id, verdict }) => [id, verdict]))).to.deep.equal(VERDICTS);
  });

  it('show something, or are not run', () => {
    for (const { verdict, seen, commands } of judged)
      if (verdict === 'not run') expect(seen).to.deep.equal([]);
      else {
        expect(seen).to.not.deep.equal([]);
        expect(commands).to.not.deep.equal([]);
      }
  });

  it('never quote a failing call as recorded', () => {
    for (const { grade, commands } of judged)
      if (commands.some((line) => line.includes('--fail'))) expect(grade).to.not.equal('recorded');
  });

  it('do not stand where something is not seen as they need it', () => {
    const claim = CLAIMS.find(({ id }) => id === 'C18');
    if (claim?.look === undefined || claim.look === null) throw new Error('C18 is not run');
    const { look } = claim;
    const doubted = judge(
      { ...claim, look: (lab) => ({ ...look(lab), seen: [{ what: 'something else', holds: false }] }) },
      () => ({
        run: () => expect.fail(),
        profile: () => ({ hugeVmalloc: 'opt-in' }) as never,
        grade: () => null,
      }),
    );
    expect(doubted.verdict).to.equal('not shown');
  });

  it('are the page docs/claims.md', async () => {
    const page = await format(claimsPage(judged).join('\n'), { parser: 'markdown', printWidth: 150 });
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, 'utf8')).to.equal(page);
  });
});
