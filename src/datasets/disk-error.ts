import { systemCode, UserError } from '../util/errors.js';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'files there may not be that large',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'it is read-only',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a part of the path is a file',
  EIO: 'the disk reports an input/output error',
};

/** Turns what the disk refuses while `folder` is filled into a `UserError`; returns other errors as they are. */
export function diskError(error: unknown, folder: string): unknown {
  const problem = PROBLEMS[systemCode(error) ?? ''];
  if (problem === undefined) return error;
  const remedy =
    'Make room or mend the folder and run the command again, or choose another with --data DIR or DENSENET_DATA.';
  return new UserError('data', `cannot write to ${folder}: ${problem}`, remedy, { cause: error });
}
