import type { Engine, Model, ModelOptions } from '../engines/engine.js';
import { randomBatch, randomWeights } from '../engines/noise.js';
import type { Network } from '../networks/network.js';
import { type Parameter, parameters } from '../networks/parameters.js';
import { initialState } from '../training/checkpoint.js';
import { BATCH, LEARNING_RATE, OPTIMIZER, type SelftestCase } from './cases.js';
import { check, type Finding, relativeError } from './check.js';
import type { Expected } from './expected.js';

/** Relative, in norm. Single precision errs by some 1e-6; TF32, which has 10 bits of fraction, by some 1e-3. */
const ALLOWED_LOGITS = 2e-5;
const ALLOWED_GRADIENT = 1e-4;
/** Those of a batch normalisation before another one are what is left of sums that nearly cancel. */
const ALLOWED_NORMALIZATION_GRADIENT = 1e-3;

/**
 * Training enlarges rounding: where a value of a ReLU is next to 0, its gradient is all or nothing. With weights off
 * by 1e-5 of themselves, losses were off by up to 2.3e-3, and the logits after 20 steps by up to 1.5e-2 (20 times for
 * each network). A learning rate that is wrong by a hundredth makes 7e-3 to 1.3e-2 of the losses.
 */
const ALLOWED_LOSS = 5e-3;
const ALLOWED_TRAINED = 5e-2;

/**
 * Some gradients are differences that nearly cancel, and rounding is all that is left of them: a scale before another
 * batch normalisation changes nothing. So an error is measured against the tensor's own norm or, where that is smaller,
 * against this share of the root mean square over all tensors.
 */
const CANCELLED = 0.05;

/** Gradients of one kind of layer over all networks. */
const KINDS: readonly (readonly [what: string, is: (parameter: Parameter) => boolean, allowed?: number])[] = [
  ['first convolution, 3×3', ({ name, shape }) => isFirst(name) && shape[2] === 3],
  ['first convolution, 7×7', ({ name, shape }) => isFirst(name) && shape[2] === 7],
  ['dense layers, 1×1', ({ name, shape }) => name.includes('denselayer') && shape[2] === 1],
  ['dense layers, 3×3', ({ name, shape }) => name.includes('denselayer') && shape[2] === 3],
  ['transitions', ({ name, shape }) => name.includes('transition') && shape.length === 4],
  ['residual units, 1×1', ({ name, shape }) => isBranch(name) && shape[2] === 1],
  ['residual units, 3×3', ({ name, shape }) => isBranch(name) && shape[2] === 3],
  ['projections of shortcuts', ({ name, shape }) => isProjection(name) && shape.length === 4],
  ['batch normalisation', ({ role }) => role === 'gamma' || role === 'beta', ALLOWED_NORMALIZATION_GRADIENT],
  ['fully connected layers', ({ role }) => role === 'linear' || role === 'bias'],
];

const isFirst = (name: string) => name === 'features.conv0.weight' || name === 'conv1.weight';
const isProjection = (name: string) => name.includes('.downsample.');
const isBranch = (name: string) => name.startsWith('layer') && !isProjection(name);

/** A case and what it comes to. */
export type Defined = SelftestCase & { readonly expected: Expected };

/** What an engine makes of a case. */
export interface Computed {
  readonly logits: Float32Array;
  readonly gradients: ReadonlyMap<string, { readonly data: Float32Array }>;
  readonly losses: readonly number[];
  readonly trained: Float32Array;
}

export function selftestOptions(seed: number): ModelOptions {
  return { optimizer: OPTIMIZER, seed, memoryEfficient: false, precision: 'float32' };
}

/** Makes a model, uses it and disposes of it. */
export async function withFreshModel<T>(
  engine: Engine,
  network: Network,
  seed: number,
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await engine.createModel(network, selftestOptions(seed));
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/** Runs a case on an engine. */
export function compute(engine: Engine, { network, seed, steps }: SelftestCase): Promise<Computed> {
  return withFreshModel(engine, network, seed, async (model) => {
    await model.importState(initialState(network, randomWeights(network, seed)));
    const batch = randomBatch(network, BATCH, seed);
    const logits = await model.predict(batch.images);
    const losses: number[] = [];
    let gradients: Computed['gradients'] = new Map();
    for (let step = 0; step < steps; step++) {
      losses.push((await model.train(batch, { learningRate: LEARNING_RATE, step })).loss);
      if (step === 0) gradients = (await model.exportState()).momentum;
    }
    return { logits, gradients, losses, trained: await model.predict(batch.images) };
  });
}

/** What a case's logits and training say. */
export function caseChecks({ network, steps, expected }: Defined, computed: Computed): Finding[] {
  const title = network.title;
  const checks = [check(`${title}: logits`, relativeError(computed.logits, expected.logits), ALLOWED_LOGITS)];
  if (steps === 1) return checks;
  const worst = Math.max(
    ...[...expected.losses].map((loss, i) => Math.abs(computed.losses[i]! - loss) / loss),
  );
  return [
    ...checks,
    check(`${title}: losses of ${steps} steps`, worst, ALLOWED_LOSS),
    check(`${title}: logits after them`, relativeError(computed.trained, expected.trained), ALLOWED_TRAINED),
  ];
}

/** The gradients of every kind of layer, each the worst tensor of all cases. */
export function gradientChecks(results: readonly (Defined & { readonly computed: Computed })[]): Finding[] {
  const errors = results.flatMap(({ network, expected, computed }) => {
    const all = [...expected.gradients.values()].flatMap(({ data }) => [...data]);
    const rootMeanSquare = Math.sqrt(all.reduce((sum, value) => sum + value ** 2, 0) / all.length);
    return parameters(network).flatMap((parameter) => {
      const wanted = expected.gradients.get(parameter.name)?.data;
      if (wanted === undefined) return [];
      const least = CANCELLED * rootMeanSquare * Math.sqrt(wanted.length);
      const found = computed.gradients.get(parameter.name)?.data ?? [];
      return [{ parameter, error: relativeError(found, wanted, least) }];
    });
  });
  return KINDS.map(([what, is, allowed = ALLOWED_GRADIENT]) => {
    const of = errors.filter(({ parameter }) => is(parameter));
    const worst = of.length === 0 ? Number.NaN : Math.max(...of.map(({ error }) => error));
    return check(`gradients: ${what}`, worst, allowed);
  });
}
