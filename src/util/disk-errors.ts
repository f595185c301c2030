import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { type FailureKind, UserError } from './errors.js';

/** What a person can do about what the disk refuses. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space',
  EDQUOT: 'Free some space',
  EFBIG: 'Raise the limit on the size of files (ulimit -f)',
  EROFS: 'Make the file system writable',
  EACCES: 'Give yourself permission',
  EPERM: 'Give yourself permission',
  ENOENT: 'Check the path',
  ENOTDIR: 'Correct the path',
  EEXIST: 'Move away what has this name',
  EISDIR: 'Move away what has this name',
  ENOTEMPTY: 'Move away what has this name',
  ELOOP: 'Correct the links',
  ENAMETOOLONG: 'Shorten the name',
  EMFILE: 'Raise the limit on open files (ulimit -n)',
  ENFILE: 'Close other programs',
  ENOMEM: 'Close other programs',
  EIO: 'Check the disk',
  ESTALE: 'Mount the network file system again',
};

/** Words for what Node has no name of. */
const NAMELESS: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ESTALE: 'stale file handle',
};

/**
 * What to throw where the disk refuses something: a UserError, `${what}: no space left on device (ENOSPC)`; or the
 * error itself where it is not one of the disk.
 * @param otherwise what else a person can do, as the end of a sentence: `choose another folder`
 */
export function diskError(
  error: unknown,
  what: string,
  otherwise: string,
  kind: FailureKind = 'data',
): unknown {
  const problem = diskProblem(error);
  if (problem === undefined) return error;
  const remedy = REMEDIES[problem.code];
  const sentence = remedy === undefined ? otherwise : `${remedy}, or ${otherwise}`;
  const capital = `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`;
  return new UserError(kind, `${what}: ${problem.words}`, capital, { cause: error });
}

/** The code of a system error and what it means: `no space left on device (ENOSPC)`. Undefined for other errors. */
export function diskProblem(error: unknown): { code: string; words: string } | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('syscall' in error)) return undefined;
  // Node's own errors, such as that of rm of a folder, have it without its sign.
  const errno = -Math.abs(Number(error.errno));
  const [code, meaning] = getSystemErrorMap().get(errno) ?? nameless(errno);
  return { code, words: `${meaning} (${code})` };
}

/** Node has no names of some errors (a full quota's code is `Unknown system error -122`). */
function nameless(errno: number): [code: string, meaning: string] {
  const [code] = Object.entries(constants.errno).find(([, value]) => value === -errno) ?? [`errno ${-errno}`];
  return [code, NAMELESS[code] ?? 'the system refuses it'];
}
