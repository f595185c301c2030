import { availableParallelism } from 'node:os';

/** What all runs of a sweep have in common, besides their configs. */
export interface SharedOptions {
  readonly engine: string;
  readonly device: string;
  readonly gpu?: number | undefined;
  /** Folder of results. */
  readonly results: string;
  /** Folder of datasets. */
  readonly data?: string | undefined;
  /** Runs at a time. */
  readonly jobs: number;
  readonly threads?: number | undefined;
  readonly workers?: number | undefined;
  readonly skipBadImages?: boolean | undefined;
  readonly setup: boolean;
}

/** Engine, input and folders, as `densenet train` takes them. Runs that share a CPU share its threads. */
export function trainOptions({ engine, device, results, data, jobs, ...options }: SharedOptions): string[] {
  const share = jobs > 1 ? Math.max(1, Math.floor(availableParallelism() / jobs)) : undefined;
  const { gpu, threads = share, workers = share, skipBadImages, setup } = options;
  return [
    `--engine=${engine}`,
    `--device=${device}`,
    ...(gpu === undefined ? [] : [`--gpu=${gpu}`]),
    `--results=${results}`,
    ...(data === undefined ? [] : [`--data=${data}`]),
    ...(threads === undefined ? [] : [`--threads=${threads}`]),
    ...(workers === undefined ? [] : [`--workers=${workers}`]),
    ...(skipBadImages ? ['--skip-bad-images'] : []),
    ...(setup ? [] : ['--no-setup']),
  ];
}
