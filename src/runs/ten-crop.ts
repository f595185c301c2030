import { packageVersion } from '../util/package.js';
import { type Evaluated, isResult } from './evaluation.js';
import type { RunResult, TenCropResult } from './result.js';
import type { RunFolder } from './run-folder.js';

/**
 * Keeps what ten crops came to in the run's folder, if it is a result of the run: of all its test images, with the
 * weights of the last epoch of a finished run. Returns the file; undefined if nothing was kept.
 */
export async function keepTenCrop(
  { folder, result }: { readonly folder: RunFolder; readonly result: RunResult },
  { error, top5Error, count, loss, engine }: Omit<TenCropResult, 'epoch' | 'densenet'>,
  evaluated: Evaluated,
): Promise<string | undefined> {
  if (!isResult(result, evaluated)) return undefined;
  const record: TenCropResult = {
    error,
    top5Error,
    epoch: result.last!.epoch,
    count,
    loss,
    engine,
    densenet: packageVersion,
  };
  await folder.writeJson(folder.tenCrop, record);
  return folder.tenCrop;
}
