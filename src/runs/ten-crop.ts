import { packageVersion } from '../util/package.js';
import type { RunResult, TenCropResult } from './result.js';
import type { RunFolder } from './run-folder.js';

/**
 * Keeps what ten crops came to in the run's folder, if it is a result of the run: of all its test images, with the
 * weights of the last epoch of a finished run. Returns the file; undefined if nothing was kept.
 */
export async function keepTenCrop(
  { folder, result: { status, last } }: { readonly folder: RunFolder; readonly result: RunResult },
  { error, top5Error, count, loss, engine }: Omit<TenCropResult, 'epoch' | 'densenet'>,
  evaluated: {
    readonly split: string;
    /** Asked for, where it is not the run's. */
    readonly subset?: number | undefined;
    readonly checkpoint: 'last' | 'best';
  },
): Promise<string | undefined> {
  if (status !== 'finished' || !last) return undefined;
  const { split, subset, checkpoint } = evaluated;
  if (split !== 'test' || subset !== undefined || checkpoint !== 'last') return undefined;
  const record: TenCropResult = {
    error,
    top5Error,
    epoch: last.epoch,
    count,
    loss,
    engine,
    densenet: packageVersion,
  };
  await folder.writeJson(folder.tenCrop, record);
  return folder.tenCrop;
}
