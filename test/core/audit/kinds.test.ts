import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { auditor, type Audited } from '../../../core/audit/audit.js';
import { RULES } from '../../../core/audit/rules.js';
import type { Rule } from '../../../core/audit/rule.js';
import { emulate } from '../../../core/driver/emulate/emulate.js';
import type { Event } from '../../../core/event/event.js';
import { randomWorkload } from '../../traces/randomWorkload.js';
import { profileOf } from './injected.js';

/** Emulates and audits: all events, or those of the kinds that the audit wants. */
const heard = (kernel: string, wantedOnly: boolean, rules: readonly Rule[] = RULES) => {
  const profile = profileOf({ kernel });
  const events: Event[] = [];
  const { given } = emulate({
    workload: randomWorkload(3, 60),
    profile,
    arch: x86_64,
    seed: 3,
    nodes: 1,
    flushesPredictors: true,
    emit: (event) => events.push(event),
  });
  const audit = auditor({ profile, arch: x86_64, kernel: null, source: 'emulation' }, given, rules);
  audit.feed(wantedOnly ? events.filter(({ kind }) => audit.kinds.includes(kind)) : events);
  return { kinds: audit.kinds, audited: audit.finish() };
};

const said = ({ judged, inventory, coverage }: Audited) => ({
  judged: judged.map(({ rule, ...rest }) => ({ ...rest, rule: rule.id })),
  inventory,
  coverage,
});

describe('the kinds of events that an audit wants', () => {
  for (const kernel of ['5.10', '5.18-rc3', '6.1', '7.2'])
    it(`are all that it needs: ${kernel}`, () => {
      expect(said(heard(kernel, true).audited)).to.deep.equal(said(heard(kernel, false).audited));
    });

  it('have choices only where a rule asks for them', () => {
    const first = RULES.at(0) as Rule;
    const asking: Rule = {
      ...first,
      applies: () => null,
      watch: () => ({ after: { chosen: () => undefined } }),
    };
    const eager: Rule = { ...asking, watch: () => ({ each: () => undefined }) };
    expect(heard('6.1', true).kinds).to.not.include('chosen');
    expect(heard('7.2', true).kinds).to.include('chosen');
    expect(heard('6.1', true, [asking]).kinds).to.include('chosen');
    expect(heard('6.1', true, [eager]).kinds).to.include('chosen');
  });
});
