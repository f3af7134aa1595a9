import * as v from 'valibot';
import { fail } from '../core/value/failure.js';
import { command } from './program/command.js';

export const last = command({
  about: '',
  arguments: [],
  options: [],
  examples: [],
  values: v.object({}),
  run: async () => fail('not-yet', 'not yet'),
});
