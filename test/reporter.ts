import Mocha from 'mocha';

/** Mocha's spec reporter with a closing line that scripts can read. */
export default class ClosingLine extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending === 0 ? '' : `, ${pending} skipped`;
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
    });
  }
}
