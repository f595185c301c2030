import type { Experiment } from '../config/schema.js';
import { chooseEngine, type EngineChoice } from '../engines/select.js';
import type { GpuSearch } from '../engines/tensorflow/gpu/find.js';
import type { Group } from '../mpi/group.js';
import { UserError } from '../util/errors.js';

/**
 * The experiment as n processes train it: n of them are `training.accumulate: n`, which is set where it is 1 and the
 * run is new. Throws a UserError (usage) if the processes cannot share the micro-batches evenly.
 */
export function dividedAmong(
  experiment: Experiment,
  processes: number,
  { resumed = false }: { readonly resumed?: boolean } = {},
): Experiment {
  const { training } = experiment;
  const { batchSize, accumulate } = training;
  if (accumulate % processes === 0) return experiment;
  if (accumulate > 1 || resumed) {
    const micro = accumulate === 1 ? '1: one micro-batch for each step' : `${accumulate}`;
    throw new UserError(
      'usage',
      `${processes} processes cannot share the run: its training.accumulate is ${micro}`,
      resumed
        ? `Resume it with ${orList(divisors(accumulate))}.`
        : `Start ${orList(divisors(accumulate))}, or set training.accumulate to a multiple of ${processes}.`,
    );
  }
  if (batchSize % processes !== 0) {
    throw new UserError(
      'usage',
      `${processes} processes cannot share a batch of ${batchSize} images evenly`,
      `Start ${orList(divisors(batchSize))}, or set training.batchSize to a multiple of ${processes}.`,
    );
  }
  return { ...experiment, training: { ...training, accumulate: processes } };
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
}

/** `1 process`, `1, 2 or 4 processes`. */
function orList(numbers: readonly number[]): string {
  const last = numbers.at(-1)!;
  const list = numbers.length > 1 ? `${numbers.slice(0, -1).join(', ')} or ${last}` : `${last}`;
  return `${list} process${last === 1 ? '' : 'es'}`;
}

/**
 * The choice with the GPU of this process: of several processes, each has the one that was asked for on its host, the
 * only one that CUDA_VISIBLE_DEVICES shows it, or the one of its number. Throws a UserError (engine) if there is none.
 */
export async function withOwnGpu(
  choice: EngineChoice,
  { size, localRank }: Pick<Group, 'size' | 'localRank'>,
  asked: number | undefined,
  {
    search,
    shown = process.env.CUDA_VISIBLE_DEVICES,
  }: { search?: () => Promise<GpuSearch>; shown?: string } = {},
): Promise<EngineChoice> {
  if (size === 1 || choice.device === 'cpu') return choice;
  const gpu = asked ?? (shown?.split(',').length === 1 ? 0 : localRank);
  const own = await chooseEngine({ engine: choice.engine, device: 'gpu', gpu }, search);
  return { ...own, reason: choice.reason };
}

/** Throws a UserError (data), in all of them, if the processes of a run do not have the same data. */
export async function checkSameData(
  group: Pick<Group, 'gatherJson' | 'hosts' | 'size'>,
  digest: string,
): Promise<void> {
  const digests = await group.gatherJson(digest);
  const other = digests.findIndex((one) => one !== digests[0]);
  if (other === -1) return;
  const { size, hosts } = group;
  throw new UserError(
    'data',
    `process ${other + 1} of ${size}, on ${hosts[other]}, has other data than process 1, on ${hosts[0]}`,
    'Have the same folder of data on all hosts, or name one with --data that all of them see.',
  );
}
