import { outerNames } from '../../../networks/names.js';
import { type Network, stageShapes } from '../../../networks/network.js';
import { residualUnits } from '../../../networks/residual.js';
import type { GraphBuilder, Output } from './builder.js';
import { weight } from './context.js';
import type { Layout } from './layout.js';
import { Ops } from './ops.js';
import { type EvaluationParts, residualUnit } from './residual-evaluation.js';
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
  const norm = (name: string, x: Output) => {
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      get(`${name}.${part}`),
    ) as [Output, Output, Output, Output];
    return ops.normalize(x, gamma, beta, mean, variance);
  };
  const normRelu = (name: string, x: Output) => ops.unary('Relu', norm(name, x));
  const convolution = (name: string, x: Output) => ops.convolution(x, get(`${name}.weight`), 1, 'SAME');

  const parts: EvaluationParts = { ops, get, norm };
  const names = outerNames(network);
  let x = images;
  let blocks = 0;
  let transitions = 0;
  let residualStages = 0;
  for (const { stage, input } of stageShapes(network)) {
    switch (stage.kind) {
      case 'convolution': {
        const padded = ops.pad(x, stage.padding, 0);
        x = ops.convolution(padded, get(`${names.convolution}.weight`), stage.stride, 'VALID');
        if (stage.normalized) x = normRelu(names.norm, x);
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
      case 'residualStage':
        for (const unit of residualUnits(stage, input, ++residualStages)) x = residualUnit(parts, unit, x);
        break;
      case 'classifier': {
        const pooled = ops.mean(stage.normalized ? normRelu(names.lastNorm, x) : x, [1, 2]);
        const product = ops.matmul(pooled, get(`${names.classifier}.weight`), { b: true });
        x = ops.binary('AddV2', product, get(`${names.classifier}.bias`));
        break;
      }
    }
  }
  return x;
}
