import { z } from 'zod';
import { ENGINE_NAMES } from '../engines/engine.js';
import { machine } from '../util/machine.js';
import { thisProcess } from '../util/owner.js';
import { gitState, packageVersion } from '../util/package.js';

const datasetUsed = z.looseObject({
  name: z.string(),
  digest: z.string(),
  /** Which variant of the dataset it is, where it is not the published data. */
  variant: z.string().optional(),
  /** That it is such a variant, or not all of the published data. */
  note: z.string().optional(),
});
export type DatasetUsed = Readonly<z.infer<typeof datasetUsed>>;

/** Why errors on this data are not errors on the published dataset, in a few words; undefined if they are. */
export function dataRemark({ variant, note }: Partial<DatasetUsed> = {}): string | undefined {
  return variant ?? (note === undefined ? undefined : 'not all of the data');
}

/** Where and with what a run was made. What a later version added is kept when a run is resumed. */
export const environmentSchema = z.looseObject({
  started: z.string(),
  densenet: z.string(),
  /** Undefined outside a git checkout. */
  git: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
  node: z.string(),
  platform: z.string(),
  host: z.string(),
  /** Process on that host, and when it began: tells a running one from one that was killed. */
  pid: z.int().optional(),
  processStart: z.number().optional(),
  cpu: z.object({ model: z.string(), cores: z.int() }),
  memoryBytes: z.number(),
  /** Of each process, where several trained the run together. */
  hosts: z.array(z.string()).readonly().optional(),
  engine: z.object({
    name: z.enum(ENGINE_NAMES),
    device: z.string(),
    description: z.string(),
    /** What convolutions really multiplied. Earlier versions did not say it. */
    precision: z.string().optional(),
    /** The version of its kernels; absent for the first. */
    kernels: z.int().optional(),
  }),
  commandLine: z.array(z.string()).readonly(),
  dataset: datasetUsed.optional(),
});
export type Environment = Readonly<z.infer<typeof environmentSchema>>;

/** The weights that a run began with (`--init`). */
export const initialWeightsSchema = z.looseObject({
  file: z.string(),
  /** Of the file's bytes. */
  sha256: z.string(),
  /** Names of the parameters that had the usual initial values instead (`--init-skip`). */
  skipped: z.array(z.string()).readonly().default([]),
});
export type InitialWeights = Readonly<z.infer<typeof initialWeightsSchema>>;

/** environment.json: a run's environment, with what happened to it since. */
export const runEnvironmentSchema = environmentSchema.extend({
  init: initialWeightsSchema.optional(),
  /** One entry for each time the run was resumed. */
  resumed: z.array(environmentSchema).readonly().default([]),
});
export type RunEnvironment = Readonly<z.infer<typeof runEnvironmentSchema>>;

export async function captureEnvironment(
  engine: Environment['engine'],
  dataset: DatasetUsed,
  hosts: readonly string[] = [],
): Promise<Environment> {
  const { cpu, cores, memoryBytes, platform } = machine();
  const { host, pid, start } = thisProcess();
  return {
    started: new Date().toISOString(),
    densenet: packageVersion,
    git: await gitState(),
    node: process.version,
    platform,
    host,
    pid,
    processStart: start,
    cpu: { model: cpu, cores },
    memoryBytes,
    ...(hosts.length > 0 ? { hosts } : {}),
    engine: {
      name: engine.name,
      device: engine.device,
      description: engine.description,
      precision: engine.precision,
      ...(engine.kernels === undefined ? {} : { kernels: engine.kernels }),
    },
    commandLine: process.argv.slice(2),
    dataset,
  };
}
