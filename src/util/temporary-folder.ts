import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskError } from './disk-errors.js';

/** Makes an empty folder, `densenet-NAME-…`, in the system's folder for temporary files. Throws a UserError (data). */
export async function temporaryFolder(name: string): Promise<string> {
  const above = tmpdir();
  try {
    return await mkdtemp(join(above, `densenet-${name}-`));
  } catch (error) {
    throw diskError(error, `cannot make a temporary folder in ${above}`, 'set TMPDIR to another folder');
  }
}
