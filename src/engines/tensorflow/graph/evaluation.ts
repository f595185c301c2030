import { type EvaluationOps, evaluationPass, type Window } from '../../../networks/evaluation.js';
import type { Network } from '../../../networks/network.js';
import type { GraphBuilder, Output } from './builder.js';
import { weight } from './context.js';
import type { Layout } from './layout.js';
import { Ops } from './ops.js';
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
): Output {
  const ops = new Ops(graph, batch);
  const weights = new Map([
    ...views(ops, read(graph, variables.weights), layout.trainable),
    ...views(ops, read(graph, variables.running), layout.running),
  ]);
  return evaluationPass(network, images, evaluationOps(ops, weights));
}

function evaluationOps(ops: Ops, weights: ReadonlyMap<string, Output>): EvaluationOps<Output> {
  const get = (name: string) => weight({ weights }, name);
  return {
    convolution: (name, x, { stride, padding }: Window) =>
      stride === 1
        ? ops.convolution(x, get(`${name}.weight`), 1, 'SAME')
        : ops.convolution(ops.pad(x, padding, 0), get(`${name}.weight`), stride, 'VALID'),
    norm(name, x) {
      const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
        get(`${name}.${part}`),
      ) as [Output, Output, Output, Output];
      return ops.normalize(x, gamma, beta, mean, variance);
    },
    relu: (_, x) => ops.unary('Relu', x),
    maxPool: (_, x, { kernel, stride, padding }) => ops.maxPool(ops.pad(x, padding, LOWEST), kernel, stride),
    averagePool: (_, x) => ops.averagePool(x),
    concatenate: (_, a, b) => ops.concat([a, b], 3),
    add: (_, a, b) => ops.binary('AddV2', a, b),
    expectation: (_, x, survival) => ops.scale(x, survival),
    subsampleAndPad: (_, x, stride, channels) => ops.padChannels(ops.subsample(x, stride), channels),
    classify(name, x) {
      const product = ops.matmul(ops.mean(x, [1, 2]), get(`${name}.weight`), { b: true });
      return ops.binary('AddV2', product, get(`${name}.bias`));
    },
  };
}
