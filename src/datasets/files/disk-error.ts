import { systemCode, UserError } from '../../util/errors.js';

const WRITING: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'files there may not be that large',
  EROFS: 'it is read-only',
};

const USING: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a part of the path is a file',
  EISDIR: 'there is a folder where a file should be',
  ENOTEMPTY: 'there is a folder where a file should be',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk reports an input/output error',
};

/** Does `work` on the files of `folder`; what the disk refuses becomes a `UserError`. */
export async function explainDiskErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained(error, folder);
  }
}

function explained(error: unknown, folder: string): unknown {
  const code = systemCode(error) ?? '';
  const path = error instanceof Error && 'path' in error ? String(error.path) : folder;
  const using = USING[code] ?? (isMkdir(error) ? 'no folder can be made there' : undefined);
  const message = WRITING[code]
    ? `cannot write to ${folder}: ${WRITING[code]}`
    : using && `cannot use ${path}: ${using}`;
  if (!message) return error;
  const remedy =
    'Make room or mend it and run the command again, or choose another folder with --data DIR or DENSENET_DATA.';
  return new UserError('data', message, remedy, { cause: error });
}

/** Making a folder fails in other ways on file systems that have no place for one, such as /proc. */
function isMkdir(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'mkdir';
}
