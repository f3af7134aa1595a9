import { readFileSync, statSync } from 'node:fs';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Workload } from '../../core/workload/workload.js';
import { bundledWorkload, BUNDLED_WORKLOADS } from './bundled.js';
import { openCapture } from '../capture/capture.js';
import { workloadFromCapture } from './fromCapture.js';
import { parseWorkload } from './schema.js';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** A workload from its file (JSON), converted from a capture folder, or bundled, by its name. `continues`: it goes on from another one. */
export const openWorkload = async (
  path: string,
  continues = false,
): Promise<Result<{ readonly workload: Workload; readonly notes: readonly string[] }>> => {
  if (isFolder(path)) {
    const capture = openCapture(path);
    return capture.ok ? workloadFromCapture(capture.value) : capture;
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const bundled = bundledWorkload(path);
    if (bundled !== null) return openWorkload(bundled);
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return missing
      ? fail(
          'no-such-file',
          'there is no such workload',
          path,
          `give a workload file (docs/workload.md), a capture folder, or a bundled one: ${BUNDLED_WORKLOADS.map(({ name }) => name).join(', ')}`,
        )
      : fail('unreadable', 'the workload cannot be read', path, (error as Error).message);
  }
  const workload = parseWorkload(text, path, continues);
  return workload.ok ? ok({ workload: workload.value, notes: [] }) : workload;
};
