import { join } from 'node:path';
import { NODE_ARGUMENTS } from '../util/node.js';
import { packageRoot } from '../util/package.js';
import type { SweepRun } from './expand.js';

/** Words of the command that starts a run, resumes it or leaves it alone, by what is on the disk. */
export function trainArgv(run: SweepRun, trainOptions: readonly string[]): string[] {
  return [...TRAIN, ...run.trainArguments, ...trainOptions];
}

/** Its beginning, which is the same for all runs. */
export const TRAIN: readonly string[] = [
  process.execPath,
  ...NODE_ARGUMENTS,
  join(packageRoot, 'bin', 'densenet'),
  'train',
  '--auto-resume',
];
