import type { Launcher } from './launcher.js';
import { local } from './local.js';
import { slurm } from './slurm.js';

/** What `--launcher` may say; the first is the default. */
export const LAUNCHERS = { local, slurm } as const satisfies Record<string, Launcher>;

export type LauncherName = keyof typeof LAUNCHERS;
