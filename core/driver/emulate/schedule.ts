/** Which CPU runs when: how many steps each, one after the other. A step ends before a task changes what is shared, or takes a lock. */
import { fail, ok, type Result } from '../../value/failure.js';

export interface Turn {
  readonly cpu: number;
  readonly steps: number;
}

export type Schedule = readonly Turn[];

export const Schedule = Object.freeze({
  /** `0*12,1*3`; after the last turn its CPU goes on for as long as it can, then the lowest that can. */
  toText: (schedule: Schedule): string => schedule.map(({ cpu, steps }) => `${cpu}*${steps}`).join(','),
  parse: (text: string): Result<Schedule> => {
    const turns: Turn[] = [];
    for (const part of text === '' ? [] : text.split(',')) {
      const match = /^([0-7])\*([1-9]\d{0,8})$/.exec(part);
      if (match === null)
        return fail(
          'bad-schedule',
          `${JSON.stringify(part)} is no turn`,
          `--schedule ${text}`,
          'write CPU*STEPS with commas between them, as 0*12,1*3',
        );
      turns.push({ cpu: Number(match[1]), steps: Number(match[2]) });
    }
    return ok(turns);
  },
  /** One more step. */
  after: (schedule: Schedule, cpu: number): Schedule => {
    const last = schedule.at(-1);
    return last !== undefined && last.cpu === cpu
      ? [...schedule.slice(0, -1), { cpu, steps: last.steps + 1 }]
      : [...schedule, { cpu, steps: 1 }];
  },
});
