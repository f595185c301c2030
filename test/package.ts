import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../src/util/package.js';

export const execute = promisify(execFile);

/** Packs the program as `npm publish` does; returns the archive's path. */
export async function packInto(folder: string): Promise<string> {
  await execute('npm', ['pack', '--pack-destination', folder], { cwd: packageRoot });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  return join(folder, archive!);
}
