import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diskError } from '../../src/util/disk-errors.js';
import { temporaryFolder } from '../program.js';

const explain = (error: unknown) => diskError(error, 'cannot use it', 'do that', 'usage');

async function thrown(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => new Error('it worked'),
    (error: unknown) => error,
  );
}

describe('what the disk refuses is two lines', () => {
  test.each([
    ['no space left on device (ENOSPC)', 'Free some space', () => writeFile('/dev/full', 'x')],
    ['illegal operation on a directory (EISDIR)', 'Move away what has this name', () => writeFile('/', 'x')],
    ['not a directory (ENOTDIR)', 'Correct the path', () => mkdir('/dev/null/a')],
    ['name too long (ENAMETOOLONG)', 'Shorten the name', () => open(`/${'x'.repeat(300)}`)],
    [
      'too many symbolic links encountered (ELOOP)',
      'Correct the links',
      async () => {
        const path = join(await temporaryFolder(), 'loop');
        await symlink(path, path);
        return open(path);
      },
    ],
  ])('%s', async (problem, remedy, work) => {
    const error = await thrown(work);
    expect(explain(error)).toMatchObject({
      name: 'UserError',
      kind: 'usage',
      message: `cannot use it: ${problem}`,
      remedy: `${remedy}, or do that.`,
      cause: error,
    });
  });

  test.each([
    [constants.errno.EDQUOT, 'disk quota exceeded (EDQUOT)', 'Free some space, or do that.'],
    [
      constants.errno.ESTALE,
      'stale file handle (ESTALE)',
      'Mount the network file system again, or do that.',
    ],
    [constants.errno.EINVAL, 'invalid argument (EINVAL)', 'Do that.'],
    [9999, 'the system refuses it (errno 9999)', 'Do that.'],
  ])('also where Node has no name for the error: %i', (errno, problem, remedy) => {
    // As Node makes it: EDQUOT, of which libuv has no name, has the code `Unknown system error -122`.
    const error = Object.assign(new Error('write'), { errno: -errno, syscall: 'write' });
    expect(explain(error)).toMatchObject({ message: `cannot use it: ${problem}`, remedy });
  });
});

test('other errors are left as they are', () => {
  for (const error of [new RangeError('a bug'), undefined, 'text']) expect(explain(error)).toBe(error);
});
