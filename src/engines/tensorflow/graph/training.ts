import { outerNames } from '../../../networks/names.js';
import { BN_MOMENTUM, type Network } from '../../../networks/network.js';
import { survivalProbabilities } from '../../../networks/residual.js';
import { stageShapes } from '../../../networks/stages.js';
import type { OptimizerOptions } from '../../engine.js';
import type { GraphBuilder, Output } from './builder.js';
import type { TrainingContext, TrainingStage } from './context.js';
import { denseBlock } from './dense-block.js';
import type { FeatureMaps } from './features.js';
import type { Layout } from './layout.js';
import { type FloatType, type GraphForm, Ops } from './ops.js';
import { residualStage } from './residual-stage.js';
import { classifier, firstConvolution, maxPooling, transition } from './stages.js';
import { assign, assignAdd, type FlatVariable, join, read, views } from './variables.js';

/** The state of a model in its session. */
export interface Variables {
  readonly weights: FlatVariable;
  readonly momentum: FlatVariable;
  readonly running: FlatVariable;
  /** Sum of the gradients of a step's micro-batches; without value, and memory, while no step has several. */
  readonly gradient: FlatVariable;
}

/** What a training step is fed with. */
export interface TrainingFeeds {
  /** [N, H, W, C]. */
  readonly images: Output;
  /** Batch size, an int32 scalar. */
  readonly batch: Output;
  /** int32 [N]. */
  readonly labels: Output;
  /** Images of the whole step, a float scalar. */
  readonly stepImages: Output;
  readonly learningRate: Output;
  /** Of `apply`: the sum of gradients, and the statistics of one micro-batch; flat. */
  readonly gradient: Output;
  readonly statistics: Output;
  /** int32 [masks, 2]; absent without dropout. */
  readonly dropoutKeys?: Output;
  /** int32 [units], 1 where the branch is there; absent without stochastic depth. */
  readonly branches?: Output;
}

export interface GraphOptions {
  readonly form: GraphForm;
  /** Images that usually go through the network at once: kernels are chosen by it. */
  readonly images: number;
  /** Of feature maps and filters; all else is float32. */
  readonly type: FloatType;
}

/** Number of dropout masks of a network. */
export function maskCount(network: Network): number {
  let count = 0;
  for (const stage of network.stages) {
    if (stage.kind === 'denseBlock' && stage.dropout > 0) count += stage.layers * (stage.bottleneck ? 2 : 1);
    if (stage.kind === 'transition' && stage.dropout > 0) count++;
    if (stage.kind === 'residualStage' && stage.dropout > 0) count += stage.units;
  }
  return count;
}

/**
 * Ways to run the training graph. The first three are float vectors [2], the mean cross-entropy of the images and
 * the number of them classified correctly; they are there once what they stand for is done.
 */
export interface TrainingStep {
  /** Forward, backward, update. */
  readonly step: Output;
  /** Forward and backward of a micro-batch; its gradient becomes the sum of gradients, or is added to it. */
  readonly firstGradient: Output;
  readonly nextGradient: Output;
  /** The update with the sum of gradients: a node to wait for. */
  readonly update: Output;
  /** Forward and backward of a micro-batch alone: [2] as above, its gradient and its statistics. */
  readonly result: Output;
  readonly gradient: Output;
  readonly statistics: Output;
  /** The update with a gradient that is fed, and the move of running statistics that are: nodes to wait for. */
  readonly fedUpdate: Output;
  readonly fedMove: Output;
}

/** Writes one training step: forward, backward, update, at once or by micro-batches. */
export function trainingStep(
  graph: GraphBuilder,
  network: Network,
  layout: Layout,
  variables: Variables,
  feeds: TrainingFeeds,
  options: GraphOptions & { readonly optimizer: OptimizerOptions; readonly memoryEfficient: boolean },
): TrainingStep {
  const ops = new Ops(graph, feeds.batch, 'float');
  const maps = new Ops(graph, feeds.batch, options.type);
  const flatWeights = read(graph, variables.weights);
  const flatRunning = read(graph, variables.running);
  const context: TrainingContext = {
    graph,
    form: options.form,
    images: options.images,
    ops,
    maps,
    weights: views(ops, flatWeights, layout.trainable),
    filters: views(maps, maps.cast(flatWeights, 'float'), layout.trainable),
    gradients: new Map(),
    batchStatistics: new Map(),
    running: views(ops, flatRunning, layout.running),
    nextBranch: branches(graph, survivalProbabilities(network), feeds.branches),
    nextDropoutKey: dropoutKeys(graph, maskCount(network), feeds.dropoutKeys),
    memoryEfficient: options.memoryEfficient,
  };
  const { stages, head } = forward(context, network, maps.cast(feeds.images, 'float'));
  const { loss, correct, dLogits } = crossEntropy(ops, head.logits, feeds, network.classes);
  let gradient = head.backward(dLogits);
  for (const stage of stages.toReversed()) gradient = stage.backward(gradient);

  const { momentum, nesterov, weightDecay } = options.optimizer;
  const update = (gradient: Output) =>
    graph.add(
      'ResourceApplyMomentum',
      [
        variables.weights.handle,
        variables.momentum.handle,
        feeds.learningRate,
        ops.binary('AddV2', gradient, ops.scale(flatWeights, weightDecay)),
        graph.floats([momentum], []),
      ],
      { T: { type: 'float' }, use_nesterov: { bool: nesterov } },
    );
  const total = join(ops, context.gradients, layout.trainable);
  // In this form a statistic that is its own fresh value stays to the bit.
  const fresh = join(ops, context.batchStatistics, layout.running);
  const move = (statistics: Output) => {
    const change = ops.scale(ops.binary('Sub', statistics, flatRunning), BN_MOMENTUM);
    return assign(graph, variables.running, ops.binary('AddV2', flatRunning, change));
  };
  const running = move(fresh);
  const result = () => graph.add('Pack', [loss, correct], { T: { type: 'float' }, N: { int: 2 } });
  const resultAfter = (done: Output) => graph.after([done, running], result);
  return {
    step: resultAfter(update(total)),
    firstGradient: resultAfter(assign(graph, variables.gradient, total)),
    nextGradient: resultAfter(assignAdd(graph, variables.gradient, total)),
    update: update(read(graph, variables.gradient)),
    result: result(),
    gradient: total,
    statistics: fresh,
    fedUpdate: update(feeds.gradient),
    fedMove: move(feeds.statistics),
  };
}

function dropoutKeys(graph: GraphBuilder, count: number, keys: Output | undefined): () => Output {
  if (keys === undefined) {
    return () => {
      throw new Error('this network has no dropout');
    };
  }
  const attributes = { T: { type: 'int32' }, num: { int: count } } as const;
  const all = graph.addMany('Unpack', [keys], attributes, count);
  let next = 0;
  return () => all[next++]!;
}

/** The decisions of stochastic depth, one after the other, for the units that have a choice. */
function branches(
  graph: GraphBuilder,
  survival: readonly number[],
  decisions: Output | undefined,
): () => Output {
  if (decisions === undefined) {
    return () => {
      throw new Error('this network has no stochastic depth');
    };
  }
  // `Switch` decides on the CPU: computed on a GPU, every decision would wait for it.
  const all = graph
    .onCpu(() => {
      const decided = graph.add('Cast', [decisions], { SrcT: { type: 'int32' }, DstT: { type: 'bool' } });
      const attributes = { T: { type: 'bool' }, num: { int: survival.length } } as const;
      return graph.addMany('Unpack', [decided], attributes, survival.length);
    })
    .filter((_, unit) => survival[unit]! < 1);
  let next = 0;
  return () => all[next++]!;
}

function forward(context: TrainingContext, network: Network, images: Output) {
  const stages: TrainingStage[] = [];
  let maps: FeatureMaps = { x: images, shape: network.input };
  const names = outerNames(network);
  for (const { stage, name, output } of stageShapes(network)) {
    const build = (): TrainingStage => {
      switch (stage.kind) {
        case 'convolution':
          return firstConvolution(context, names, stage, maps, output);
        case 'maxPooling':
          return maxPooling(context, stage, maps, output);
        case 'denseBlock':
          return denseBlock(context, name, stage, maps);
        case 'transition':
          return transition(context, name, stage, maps, output);
        case 'residualStage':
          return residualStage(context, name, stage, maps, output);
        case 'classifier':
          throw new Error('the classifier is no stage of feature maps');
      }
    };
    if (stage.kind === 'classifier') {
      const last = maps;
      const head = context.graph.scope('classifier', () => classifier(context, names, stage, last));
      return { stages, head };
    }
    const written = context.graph.scope(stage.kind, build);
    stages.push(written);
    maps = written.maps;
  }
  throw new Error('the network has no classifier');
}

/**
 * Mean cross-entropy, and (softmax − one-hot)/N with N the images of the whole step: of its gradient the share of
 * these images. Through LogSoftmax: the fused cross-entropy ops have no deterministic kernels on GPUs.
 */
function crossEntropy(ops: Ops, logits: Output, { labels, stepImages }: TrainingFeeds, classes: number) {
  const { graph } = ops;
  const int = (value: number) => graph.ints([value], []);
  const float = (value: number) => graph.floats([value], []);
  const oneHot = graph.add('OneHot', [labels, int(classes), float(1), float(0)], {
    T: { type: 'float' },
    TI: { type: 'int32' },
    axis: { int: -1 },
  });
  const logProbabilities = ops.unary('LogSoftmax', logits);
  const losses = ops.unary('Neg', ops.sum(ops.binary('Mul', oneHot, logProbabilities), [1]));
  const difference = ops.binary('Sub', ops.unary('Exp', logProbabilities), oneHot);
  const best = graph.add('ArgMax', [logits, int(1)], {
    T: { type: 'float' },
    Tidx: { type: 'int32' },
    output_type: { type: 'int32' },
  });
  const hits = graph.add('Equal', [best, labels], { T: { type: 'int32' } });
  const correct = graph.add('Cast', [hits], { SrcT: { type: 'bool' }, DstT: { type: 'float' } });
  return {
    loss: ops.mean(losses, [0]),
    correct: ops.sum(correct, [0]),
    dLogits: ops.binary('RealDiv', difference, stepImages),
  };
}
