/** Claims about results that nobody looks at: C13. */
import { grouped, plural } from '../numbers.js';
import type { EmulationRun } from '../emulation.js';
import { broken, brokenRules, callersOf, callsOf, resultsOf } from './looking.js';
import type { Claim } from './claim.js';

/** Text copies that a function makes itself: an error path, which writes the size into a header. */
const copiesOf = (run: EmulationRun, fn: string): number =>
  callsOf(run, 'bpf_arch_text_copy').filter((event) => callersOf(run, event)[0] === fn).length;

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
      const third = lab.run({
        kernel: '7.2',
        workload: 'two-programs',
        fail: ['do_jit:2=-ENOMEM', 'bpf_arch_text_copy:2=-EINVAL'],
      });
      const ignored = copiesOf(path, 'bpf_jit_binary_pack_alloc');
      const dropped = copiesOf(later, 'bpf_jit_binary_pack_alloc');
      const own = copiesOf(third, 'bpf_int_jit_compile');
      const reported = resultsOf(finalize, 'bpf_jit_binary_pack_finalize').filter(
        (result) => (result ?? 0) < 0,
      ).length;
      const leaked = finalize.memory.charged ?? 0;
      return {
        ran: 'two programs with text copies that fail: in finalize, after the buffer could not be had, and after the JIT failed',
        seen: [
          {
            what: `finalize hands the error on (${reported === 1 ? 'once' : `${reported} times`}), and ${grouped(leaked)} bytes stay charged for ever (F11)`,
            holds: reported === 1 && leaked > 0,
          },
          {
            what: `without a buffer 5.18-rc5 makes ${plural(ignored, 'copy', 'copies')} whose failure is not looked at: rules broken are ${brokenRules(path).join(', ')}`,
            holds: ignored === 1 && broken(path, 'I5') > 0 && broken(path, 'I7') > 0,
          },
          {
            what: `without a buffer 6.12 makes ${plural(dropped, 'such copy', 'such copies')}`,
            holds: dropped === 0,
          },
          {
            what: `where the JIT itself fails 7.2 makes ${plural(own, 'such copy', 'such copies')}: rules broken are ${brokenRules(third).join(', ')}`,
            holds: own === 1 && broken(third, 'I5') > 0 && broken(third, 'I7') > 0,
          },
        ],
        commands: [
          'pagetrail simulate two-programs --kernel 5.18-rc5 --fail bpf_arch_text_copy=-EINVAL --name c13',
          'pagetrail state c13',
          'pagetrail simulate two-programs --kernel 5.18-rc5 --fail kvmalloc:2=-ENOMEM --fail bpf_arch_text_copy:2=-EINVAL --name c13-path',
          'pagetrail audit c13-path',
          'pagetrail simulate two-programs --kernel 6.12 --fail kvmalloc:2=-ENOMEM --name c13-later',
          'pagetrail events c13-later --kind copied',
          'pagetrail simulate two-programs --kernel 7.2 --fail do_jit:2=-ENOMEM --fail bpf_arch_text_copy:2=-EINVAL --name c13-jit',
          'pagetrail audit c13-jit',
        ],
      };
    },
  },
];
