import { type EvaluationOps, evaluationPass, type Window } from '../../../networks/evaluation.js';
import type { Network } from '../../../networks/network.js';
import type { GraphBuilder, Output } from './builder.js';
import { filter, weight } from './context.js';
import type { Layout } from './layout.js';
import { type FloatType, Ops } from './ops.js';
import { LOWEST } from './stages.js';
import type { Variables } from './training.js';
import { read, views } from './variables.js';

/** Writes the network in evaluation mode, from images [N, H, W, C] to logits [N, classes]. */
export function evaluation(
  graph: GraphBuilder,
  network: Network,
  layout: Layout,
  variables: Variables,
  images: Output,
  batch: Output,
  type: FloatType,
): Output {
  const ops = new Ops(graph, batch, 'float');
  const maps = new Ops(graph, batch, type);
  const flatWeights = read(graph, variables.weights);
  const weights = new Map([
    ...views(ops, flatWeights, layout.trainable),
    ...views(ops, read(graph, variables.running), layout.running),
  ]);
  const filters = views(maps, maps.cast(flatWeights, 'float'), layout.trainable);
  return evaluationPass(network, maps.cast(images, 'float'), evaluationOps(ops, maps, weights, filters));
}

function evaluationOps(
  ops: Ops,
  maps: Ops,
  weights: ReadonlyMap<string, Output>,
  filters: ReadonlyMap<string, Output>,
): EvaluationOps<Output> {
  const get = (name: string) => weight({ weights }, name);
  return {
    convolution(name, x, { stride, padding }: Window) {
      const weights = filter({ filters }, `${name}.weight`);
      return stride === 1
        ? maps.convolution(x, weights, 1, 'SAME')
        : maps.convolution(maps.pad(x, padding, 0), weights, stride, 'VALID');
    },
    norm(name, x) {
      const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
        get(`${name}.${part}`),
      ) as [Output, Output, Output, Output];
      return maps.normalize(x, gamma, beta, mean, variance);
    },
    relu: (_, x) => maps.unary('Relu', x),
    maxPool: (_, x, { kernel, stride, padding }) =>
      maps.maxPool(maps.pad(x, padding, LOWEST), kernel, stride),
    averagePool: (_, x) => maps.averagePool(x),
    concatenate: (_, a, b) => maps.concat([a, b], 3),
    add: (_, a, b) => maps.binary('AddV2', a, b),
    expectation: (_, x, survival) => maps.cast(ops.scale(ops.cast(x, maps.type), survival), 'float'),
    subsampleAndPad: (_, x, stride, channels) => maps.padChannels(maps.subsample(x, stride), channels),
    classify(name, x) {
      const product = ops.matmul(ops.mean(ops.cast(x, maps.type), [1, 2]), get(`${name}.weight`), {
        b: true,
      });
      return ops.binary('AddV2', product, get(`${name}.bias`));
    },
  };
}
