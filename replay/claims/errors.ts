/** Claims about results that nobody looks at: C13. */
import { grouped } from '../numbers.js';
import type { EmulationRun } from '../emulation.js';
import { broken, brokenRules, callersOf, callsOf, resultsOf } from './looking.js';
import type { Claim } from './claim.js';

/** Text copies that bpf_jit_binary_pack_alloc makes itself. */
const inErrorPath = (run: EmulationRun): number =>
  callsOf(run, 'bpf_arch_text_copy').filter(
    (event) => callersOf(run, event)[0] === 'bpf_jit_binary_pack_alloc',
  ).length;

export const ERROR_CLAIMS: readonly Claim[] = [
  {
    id: 'C13',
    claim: 'one of the two callers of bpf_arch_text_copy ignores its result',
    who: 'Linus Torvalds',
    when: '27 April 2022, CAHk-=wgA1Uku=ejwknv11ssNhz2pswhD=mJFBPEMQtCspz0YEQ@mail.gmail.com',
    verdict: 'confirmed',
    because:
      'finalize checks it; the error path of bpf_jit_binary_pack_alloc does not (5.18 to 6.6). A third caller, the error path of the JIT itself, has never checked it',
    look: (lab) => {
      const finalize = lab.run({
        kernel: '5.18-rc5',
        workload: 'two-programs',
        fail: ['bpf_arch_text_copy=-EINVAL'],
      });
      const path = lab.run({
        kernel: '5.18-rc5',
        workload: 'two-programs',
        fail: ['kvmalloc:2=-ENOMEM', 'bpf_arch_text_copy:2=-EINVAL'],
      });
      const later = lab.run({ kernel: '6.12', workload: 'two-programs', fail: ['kvmalloc:2=-ENOMEM'] });
      const reported = resultsOf(finalize, 'bpf_jit_binary_pack_finalize').filter(
        (result) => (result ?? 0) < 0,
      ).length;
      const leaked = finalize.memory.charged ?? 0;
      return {
        ran: 'two programs with text copies that fail: in finalize, and after an allocation failed',
        seen: [
          {
            what: `finalize hands the error on (${reported === 1 ? 'once' : `${reported} times`}), and ${grouped(leaked)} bytes stay charged for ever (F11)`,
            holds: reported === 1 && leaked > 0,
          },
          {
            what: `without a buffer 5.18-rc5 makes ${inErrorPath(path)} copy whose failure is not looked at: rules broken are ${brokenRules(path).join(', ')}`,
            holds: inErrorPath(path) === 1 && broken(path, 'I7') > 0,
          },
          { what: `6.12 makes ${inErrorPath(later)} such copies`, holds: inErrorPath(later) === 0 },
        ],
        commands: [
          'pagetrail simulate two-programs --kernel 5.18-rc5 --fail bpf_arch_text_copy=-EINVAL --name c13',
          'pagetrail simulate two-programs --kernel 5.18-rc5 --fail kvmalloc:2=-ENOMEM --fail bpf_arch_text_copy:2=-EINVAL --name c13-path',
          'pagetrail audit c13-path',
        ],
      };
    },
  },
];
