import { expectedSeconds, measureSpeed, type Speed, speedKey } from '../bench/speed.js';
import type { Experiment } from '../config/schema.js';
import type { Engine } from '../engines/engine.js';
import type { RunRecord } from '../runs/run-records.js';
import { hiddenByDamage, type RunState, runState } from '../runs/run-state.js';
import type { Sheet } from '../tables/sheet.js';
import { networkOf } from '../training/model.js';
import { planRun } from '../training/plan.js';
import { UserError } from '../util/errors.js';
import { formatDuration } from '../util/format.js';
import type { Reporter } from '../util/reporter.js';
import type { SweepRun } from './expand.js';

/** What a sweep would do about a run. */
export interface Forecast {
  readonly run: SweepRun;
  readonly state: RunState;
  readonly epochsDone: number;
  /** Undefined where nothing is left to train, or where the run cannot be trained here. */
  readonly speed: Speed | undefined;
  /** Why it cannot be trained here, or is left to a person. */
  readonly problem?: string | undefined;
  /** Of training and evaluation that are left, alone on the engine. */
  readonly seconds: number;
}

export interface ForecastOptions {
  readonly records: readonly RunRecord[];
  /** Starts the engine that an experiment would be trained on. */
  readonly startEngine: (experiment: Experiment) => Promise<Engine>;
  /** Folder of datasets. */
  readonly data?: string | undefined;
  readonly reporter: Reporter;
}

/** Says what a sweep would do and how long it would take; every network is measured once, with a few steps. */
export async function forecastSweep(
  runs: readonly SweepRun[],
  { records, startEngine, data, reporter }: ForecastOptions,
): Promise<Forecast[]> {
  const speeds = new Map<string, Speed>();
  const forecasts: Forecast[] = [];
  for (const run of runs) {
    const { experiment, subset } = run;
    const network = networkOf(experiment);
    const state = runState(run, records);
    const epochsDone = state.kind === 'start' ? 0 : (state.record.result?.epochs ?? 0);
    if (state.kind !== 'start' && state.kind !== 'resume') {
      const problem = state.kind === 'damaged' ? hiddenByDamage(state.record).message : undefined;
      forecasts.push({ run, state, epochsDone, speed: undefined, seconds: 0, problem });
      continue;
    }
    const key = speedKey(experiment);
    let speed = speeds.get(key);
    if (!speed) {
      reporter.line(`Measuring ${network.title} for ${experiment.name} …`);
      try {
        const engine = await startEngine(experiment);
        speed = await measureSpeed(experiment, engine).finally(() => engine.dispose());
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        forecasts.push({ run, state, epochsDone, speed: undefined, seconds: 0, problem: error.message });
        continue;
      }
      speeds.set(key, speed);
    }
    const { images } = await planRun(experiment, network, { data, subset });
    const seconds = expectedSeconds(experiment.training.epochs - epochsDone, images, speed);
    forecasts.push({ run, state, epochsDone, speed, seconds });
  }
  return forecasts;
}

const ACTIONS = {
  finished: 'skip: finished',
  'at-work': 'leave: running elsewhere',
  diverged: 'skip: diverged',
  damaged: 'leave: damaged',
  resume: 'resume',
  start: 'start',
} as const;

/** How a queue would take the runs. */
export interface QueueLimits {
  /** Runs at a time. */
  readonly maxJobs?: number | undefined;
  /** Time limit of a task, in seconds. */
  readonly seconds?: number | undefined;
}

/** The table of `sweep --dry-run`. */
export function forecastSheet(forecasts: readonly Forecast[], limits: QueueLimits = {}): Sheet {
  const total = forecasts.reduce((sum, { seconds }) => sum + seconds, 0);
  const longest = forecasts.reduce((most, { seconds }) => Math.max(most, seconds), 0);
  return {
    columns: ['experiment', 'seed', 'action', 'epochs', 'images/s', 'expected time'],
    right: ['seed', 'epochs', 'images/s', 'expected time'],
    drop: ['images/s', 'epochs', 'seed'],
    rows: forecasts.map(({ run: { experiment }, state, epochsDone, speed, seconds, problem }) => [
      experiment.name,
      `${experiment.training.seed}`,
      problem !== undefined && state.kind !== 'damaged' ? 'fail' : ACTIONS[state.kind],
      `${epochsDone}/${experiment.training.epochs}`,
      speed ? speed.train.toFixed(1) : '',
      speed ? formatDuration(seconds) : '',
    ]),
    notes: [
      ...forecasts.flatMap(({ run, problem }) => (problem ? [`${run.experiment.name}: ${problem}`] : [])),
      `${forecasts.length} runs, ${formatDuration(total)} in all, one after the other. Nothing was trained (--dry-run).`,
      ...queueNotes(total, longest, limits),
    ],
  };
}

/** Of nodes that are as fast as this machine; what is lost between two tasks of a run is not counted. */
function queueNotes(total: number, longest: number, { maxJobs, seconds }: QueueLimits): string[] {
  if (total === 0) return [];
  const parts = seconds === undefined ? 1 : Math.ceil(longest / seconds);
  return [
    ...(maxJobs === undefined
      ? []
      : [
          `${maxJobs} at a time, on nodes as fast as this machine: at least ${formatDuration(Math.max(longest, total / maxJobs))}.`,
        ]),
    ...(parts > 1
      ? [
          `The longest run takes ${formatDuration(longest)}: ${parts} tasks of ${formatDuration(seconds!)}, or more.`,
        ]
      : []),
  ];
}
