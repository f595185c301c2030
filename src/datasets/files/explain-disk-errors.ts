import { diskError } from '../../util/disk-errors.js';

/** Does `work` on the files of `folder`; what the disk refuses becomes a UserError (data). */
export async function explainDiskErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const path = error instanceof Error && 'path' in error ? String(error.path) : folder;
    const own = path.startsWith(folder) || folder.startsWith(path);
    const otherwise = own
      ? 'choose another folder with --data DIR or DENSENET_DATA'
      : 'name another folder with --from DIR';
    throw diskError(error, `cannot use ${path}`, otherwise);
  }
}
