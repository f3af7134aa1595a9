import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'mocha';
import { openStore, type OpenOptions, type Store } from '../../store/index.js';
import { must } from './given.js';

const folders: string[] = [];
const stores: Store[] = [];

afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-store-'));
  folders.push(folder);
  return folder;
}

export const newFile = (): string => join(newFolder(), 'log.db');

/** A store that is closed after the test. */
export function open(file: string, options: OpenOptions = {}): Store {
  const store = must(openStore(file, options));
  stores.push(store);
  return store;
}
