import { runKey } from '../config/identity.js';
import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { dataFolder, presentDigest } from '../datasets/index.js';
import { type ContentsOptions, withContents } from '../training/contents.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { silent } from '../util/reporter.js';
import type { SweepDefinition } from './definition.js';

/** One run of a sweep. */
export interface SweepRun {
  /** For people: `cifar10-40-12 seed 2`. */
  readonly label: string;
  readonly experiment: Experiment;
  readonly subset: number | undefined;
  /** Digest of its data, where they are on disk. */
  readonly data: string | undefined;
  /** What `densenet train` takes to start it. */
  readonly trainArguments: readonly string[];
}

/**
 * The runs of a sweep, all seeds of one experiment after the other. With a grid, the experiments' names say which
 * values they have. What is listed twice is one run. Throws a UserError (usage) if a config does not fit, or if there
 * are too many runs: nothing has started by then.
 */
export async function expandSweep(
  definition: SweepDefinition,
  contents: ContentsOptions = { reporter: silent },
): Promise<SweepRun[]> {
  checkSize(definition);
  const runs = new Map<string, SweepRun>();
  const datasets = new Map<string, { dataset: Experiment['dataset']; data: string | undefined }>();
  for (const { config, set } of definition.configs) {
    for (const point of gridPoints(definition.grid)) {
      const settings = [...definition.set, ...set, ...point.map(([key, value]) => setting(key, value))];
      if (point.length > 0) {
        const { name } = await loadExperiment(config, { set: settings });
        settings.push(setting('name', [name, ...point.map(nameOf)].join('-')));
      }
      if (definition.budget !== undefined) {
        const { name, training } = await loadExperiment(config, { set: settings });
        settings.push(...shortened(name, training, definition.budget));
      }
      for (const seed of definition.seeds) {
        const asked = await loadExperiment(config, { set: settings, overrides: { training: { seed } } });
        const key = JSON.stringify(asked.dataset);
        const known = datasets.get(key) ?? (await presentData(asked, contents));
        datasets.set(key, known);
        const { dataset, data } = known;
        const experiment = { ...asked, dataset };
        runs.set(runKey(experiment), {
          label: `${experiment.name} seed ${seed}`,
          experiment,
          subset: definition.subset,
          data,
          trainArguments: [
            `--config=${config}`,
            ...settings.map((text) => `--set=${text}`),
            `--seed=${seed}`,
            ...(definition.subset === undefined ? [] : [`--subset=${definition.subset}`]),
          ],
        });
      }
    }
  }
  return [...runs.values()];
}

/** A config's dataset with what its folder holds, and the digest of what is on disk. */
async function presentData(experiment: Experiment, contents: ContentsOptions) {
  const { dataset } = await withContents(experiment, contents);
  return { dataset, data: await presentDigest(dataset, dataFolder(contents.folder)) };
}

/** Runs of one sweep, at most: more than anyone trains, fewer than fill the memory. */
const MOST_RUNS = 10_000;

function checkSize({ configs, grid, seeds }: SweepDefinition): void {
  const points = Object.values(grid).reduce((product, values) => product * values.length, 1);
  const runs = configs.length * points * seeds.length;
  if (runs <= MOST_RUNS) return;
  throw new UserError(
    'usage',
    `the sweep would be ${formatCount(runs)} runs: ${configs.length} configs × ${formatCount(points)} points of the grid × ${seeds.length} seeds`,
    `Leave out configs, values or seeds; a sweep may have ${formatCount(MOST_RUNS)} runs.`,
  );
}

type GridPoint = readonly (readonly [key: string, value: unknown])[];

function gridPoints(grid: SweepDefinition['grid']): GridPoint[] {
  return Object.entries(grid).reduce<GridPoint[]>(
    (points, [key, values]) =>
      points.flatMap((point) => values.map((value) => [...point, [key, value] as const])),
    [[]],
  );
}

/**
 * Settings that leave a share of the epochs. Milestones are shares themselves; a warm-up shrinks with the epochs. The
 * name says how many are left.
 */
function shortened(name: string, { epochs, learningRate }: Experiment['training'], share: number): string[] {
  const left = Math.max(1, Math.round(share * epochs));
  const { warmup } = learningRate;
  return [
    setting('training.epochs', left),
    ...(warmup ? [setting('training.learningRate.warmup.epochs', (warmup.epochs * left) / epochs)] : []),
    setting('name', `${name}-${left}-epochs`),
  ];
}

function setting(key: string, value: unknown): string {
  return `${key}=${JSON.stringify(value)}`;
}

/** `network.growthRate`, 12 → `growthRate-12`. */
function nameOf([key, value]: readonly [string, unknown]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${key.split('.').at(-1)}-${text}`.replaceAll(/[^A-Za-z0-9._+-]+/g, '.');
}
