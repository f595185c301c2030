import type { Engine, Model, ModelOptions, ModelState } from '../../../src/engines/engine.js';
import type { Network } from '../../../src/networks/network.js';
import { isTrainable, parameters } from '../../../src/networks/parameters.js';
import type { NamedTensors, Tensor } from '../../../src/util/tensor.js';

export type TestedEngine = Pick<Engine, 'createModel' | 'dispose'>;

export const DEFAULTS: ModelOptions = {
  optimizer: { momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
  seed: 1,
  memoryEfficient: false,
  precision: 'float32',
};

/** Makes a model, gives it the state, uses it and disposes of it. */
export async function withModel<Result>(
  engine: TestedEngine,
  network: Network,
  options: ModelOptions,
  state: ModelState,
  use: (model: Model) => Promise<Result>,
): Promise<Result> {
  const model = await engine.createModel(network, options);
  try {
    await model.importState(state);
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/** The state of a network that has these weights and was not trained yet. */
export function untrained(network: Network, weights: NamedTensors): ModelState {
  const momentum = parameters(network)
    .filter(isTrainable)
    .map(({ name, shape }): [string, Tensor] => {
      return [name, { shape, data: new Float32Array(weights.get(name)!.data.length) }];
    });
  return { weights, momentum: new Map(momentum) };
}

/** Every byte of a state, under the names of its tensors: equal only where every bit is. */
export function bitsOf(state: ModelState): Record<string, string> {
  const digest = (kind: string, tensors: NamedTensors) =>
    [...tensors].map(([name, { shape, data }]) => {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return [`${kind} ${name}`, `[${shape.join(', ')}] ${bytes.toString('base64')}`];
    });
  return Object.fromEntries([...digest('weight', state.weights), ...digest('momentum', state.momentum)]);
}
