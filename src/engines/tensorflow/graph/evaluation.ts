import { type Network, stageShapes } from '../../../networks/network.js';
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
  const get = (name: string) => weight({ weights }, name);
  const normRelu = (name: string, x: Output) => {
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      get(`${name}.${part}`),
    ) as [Output, Output, Output, Output];
    return ops.unary('Relu', ops.normalize(x, gamma, beta, mean, variance));
  };
  const convolution = (name: string, x: Output) => ops.convolution(x, get(`${name}.weight`), 1, 'SAME');

  let x = images;
  let blocks = 0;
  let transitions = 0;
  for (const { stage } of stageShapes(network)) {
    switch (stage.kind) {
      case 'convolution': {
        const padded = ops.pad(x, stage.padding, 0);
        x = ops.convolution(padded, get('features.conv0.weight'), stage.stride, 'VALID');
        if (stage.normalized) x = normRelu('features.norm0', x);
        break;
      }
      case 'maxPooling':
        x = ops.maxPool(ops.pad(x, stage.padding, LOWEST), stage.kernel, stage.stride);
        break;
      case 'denseBlock': {
        const block = `features.denseblock${++blocks}`;
        for (let index = 1; index <= stage.layers; index++) {
          const name = `${block}.denselayer${index}`;
          let y = convolution(`${name}.conv1`, normRelu(`${name}.norm1`, x));
          if (stage.bottleneck) y = convolution(`${name}.conv2`, normRelu(`${name}.norm2`, y));
          x = ops.concat([x, y], 3);
        }
        break;
      }
      case 'transition': {
        const name = `features.transition${++transitions}`;
        x = ops.averagePool(convolution(`${name}.conv`, normRelu(`${name}.norm`, x)));
        break;
      }
      case 'classifier': {
        const pooled = ops.mean(normRelu('features.norm5', x), [1, 2]);
        const product = ops.matmul(pooled, get('classifier.weight'), { b: true });
        x = ops.binary('AddV2', product, get('classifier.bias'));
        break;
      }
    }
  }
  return x;
}
