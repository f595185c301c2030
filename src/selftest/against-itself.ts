import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, Model, ModelState } from '../engines/engine.js';
import { randomBatch, randomWeights } from '../engines/noise.js';
import type { Network } from '../networks/network.js';
import { initialState, loadCheckpoint, NO_PROGRESS, saveCheckpoint } from '../training/checkpoint.js';
import { temporaryFolder } from '../util/temporary-folder.js';
import type { NamedTensors } from '../util/tensor.js';
import { withFreshModel } from './against-definition.js';
import { BATCH, DROPPING, LEARNING_RATE } from './cases.js';
import { check, type Finding } from './check.js';

const SEED = 1;
const STEPS = 6;

/** How much the loss is to change, for its slope. */
const LOSS_CHANGE = 0.003;

/** Curvature and rounding make some 1e-3. */
const ALLOWED_SLOPE = 0.02;

/** With dropout, two runs end in the same bits, and so does one that is resumed from a checkpoint in the middle. */
export async function bitChecks(engine: Engine): Promise<Finding[]> {
  const network = DROPPING;
  const start = initialState(network, randomWeights(network, SEED));
  const run = (from: ModelState, first: number, last: number) =>
    withFreshModel(engine, network, SEED, async (model) => {
      await model.importState(from);
      await train(model, network, first, last);
      return model.exportState();
    });
  const whole = await run(start, 0, STEPS);
  const again = await run(start, 0, STEPS);
  const half = await throughFile(network, await run(start, 0, STEPS / 2));
  const resumed = await run(half, STEPS / 2, STEPS);
  return [
    check('two runs: values whose bits differ', differing(whole, again), 0),
    check('a resumed run: values whose bits differ', differing(whole, resumed), 0),
  ];
}

/** With dropout, the gradient is the slope of the loss, which is computed with the same masks in the same step. */
export function slopeCheck(engine: Engine): Promise<Finding[]> {
  const network = DROPPING;
  const weights = randomWeights(network, SEED);
  const batch = randomBatch(network, BATCH, SEED);
  return withFreshModel(engine, network, SEED, async (model) => {
    const lossAt = async (from: NamedTensors) => {
      await model.importState(initialState(network, from));
      return (await model.train(batch, { learningRate: 0, step: 0 })).loss;
    };
    await lossAt(weights);
    const { momentum: gradient } = await model.exportState();
    const square = [...gradient.values()].reduce((sum, { data }) => sum + squareOf(data), 0);
    const along = (change: number) => lossAt(moved(weights, gradient, change / square));
    const change = (await along(LOSS_CHANGE)) - (await along(-LOSS_CHANGE));
    const deviation = Math.abs(change / (2 * LOSS_CHANGE) - 1);
    return [check('dropout: gradient beside the slope of the loss', deviation, ALLOWED_SLOPE)];
  });
}

function squareOf(data: Float32Array): number {
  return data.reduce((sum, value) => sum + value ** 2, 0);
}

/** weights + factor · directions, of those that have a direction. */
function moved(weights: NamedTensors, directions: NamedTensors, factor: number): NamedTensors {
  return new Map(
    [...weights].map(([name, { shape, data }]) => {
      const direction = directions.get(name)?.data;
      return [name, { shape, data: data.map((value, i) => value + factor * (direction?.[i] ?? 0)) }];
    }),
  );
}

async function train(model: Model, network: Network, first: number, last: number): Promise<void> {
  for (let step = first; step < last; step++) {
    await model.train(randomBatch(network, BATCH, step), { learningRate: LEARNING_RATE, step });
  }
}

async function throughFile(network: Network, state: ModelState): Promise<ModelState> {
  const folder = await temporaryFolder('selftest');
  try {
    const path = join(folder, 'checkpoint.safetensors');
    await saveCheckpoint(path, { state, progress: NO_PROGRESS, origin: undefined });
    return (await loadCheckpoint(path, network)).state;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Values of two states that are not the same to the bit. */
function differing(a: ModelState, b: ModelState): number {
  let count = 0;
  for (const kind of ['weights', 'momentum'] as const) {
    for (const [name, { data }] of a[kind]) {
      const others = words(b[kind].get(name)?.data ?? new Float32Array());
      count += words(data).filter((word, i) => word !== others[i]).length;
    }
  }
  return count;
}

function words({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}
