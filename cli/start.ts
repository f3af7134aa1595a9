import * as v from 'valibot';
import { fail } from '../core/value/failure.js';
import { command } from './program/command.js';

/** Placeholder: the story is being written. */
export const start = command({
  about: 'The story in one screen.',
  arguments: [],
  options: [],
  examples: [{ line: 'pagetrail start', does: 'the same as npm start' }],
  values: v.object({}),
  run: async () => fail('not-yet', 'the story is not written yet', undefined, 'try pagetrail import PATH'),
});
