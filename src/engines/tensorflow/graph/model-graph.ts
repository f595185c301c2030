import type { Network } from '../../../networks/network.js';
import { survivalProbabilities } from '../../../networks/residual.js';
import type { ModelOptions } from '../../engine.js';
import { GraphBuilder, type Output, type TypeName } from './builder.js';
import { evaluation } from './evaluation.js';
import type { Layout } from './layout.js';
import { channelsLast, type GraphForm } from './ops.js';
import { type GraphOptions, maskCount, trainingStep, type Variables } from './training.js';
import { assign as assignVariable, flatVariable, read } from './variables.js';

/** What a model's graph is written for. */
export interface GraphUse extends Pick<GraphOptions, 'form' | 'images'> {
  /** Whether XLA is to compile the passes of `images` images. */
  readonly compiled: boolean;
}

/** Names of the graph's inputs. Their shapes are not checked by TensorFlow: whoever feeds them does. */
export const FEED = {
  /** [N, C, H, W], float, or their bits as int32 (`bitsType`). */
  images: 'images',
  /** int32 [N]. */
  labels: 'labels',
  /** float scalar: images of the whole step, of which `images` may be a micro-batch. */
  stepImages: 'step_images',
  /** float scalar. */
  learningRate: 'learning_rate',
  /** int32 [masks, 2]. */
  dropoutKeys: 'dropout_keys',
  /** int32 [units]. */
  branches: 'branches',
  /** Flat vectors in the order of `Layout`, typed as the images are. */
  gradient: 'fed_gradient',
  statistics: 'fed_statistics',
  /** Flat float vectors in the order of `Layout`. */
  weights: 'new_weights',
  momentum: 'new_momentum',
  running: 'new_running',
} as const;

/** Names of what can be asked for. */
export const FETCH = {
  /** float [2]: mean loss and number correct; asking for it makes one training step. */
  step: 'step',
  /** The same of a micro-batch; asking for it begins the sum of a step's gradients, or adds to it. */
  firstGradient: 'first_gradient',
  nextGradient: 'next_gradient',
  /** int32 scalar; asking for it makes a training step with the sum of the gradients. */
  update: 'update',
  /** The parts of a step whose micro-batches are computed in several places. float [2], float flat, float flat. */
  result: 'result',
  gradient: 'gradient_value',
  statistics: 'statistics_value',
  /** int32 scalars; asking for them updates with the gradient, or moves by the statistics, that is fed. */
  fedUpdate: 'fed_update',
  fedMove: 'fed_move',
  /** float [N, classes]. */
  logits: 'logits',
  /** int32 scalar; asking for it replaces the state. */
  restored: 'restored',
  weights: 'weights_value',
  momentum: 'momentum_value',
  running: 'running_value',
} as const;

/** The name under which the same is asked for of the part of the graph that XLA compiles. */
export function compiledName(fetch: string): string {
  return `compiled_${fetch}`;
}

/**
 * Writes everything that a model can do as one SavedModel: training step, evaluation, reading and replacing its state.
 * `compiled`: training and evaluation once more, for XLA. It compiles anew for every batch size, which is worth it for
 * one that comes often; all others take the other way.
 */
export function modelGraph(
  network: Network,
  layout: Layout,
  options: ModelOptions,
  { form, images, compiled }: GraphUse,
): Uint8Array {
  const graph = new GraphBuilder();
  const feed = (name: string, type: TypeName, shape: readonly number[]) =>
    graph.add('Placeholder', [], { dtype: { type }, shape: { shape } }, name);
  const identity = (name: string, x: Output, type: TypeName = 'float') =>
    graph.add('Identity', [x], { T: { type } }, name);

  const variables: Variables = {
    weights: flatVariable(graph, 'weights', layout.trainable),
    momentum: flatVariable(graph, 'momentum', layout.trainable),
    running: flatVariable(graph, 'running', layout.running),
    gradient: flatVariable(graph, 'gradient', layout.trainable),
  };
  const { channels, height, width } = network.input;
  const planes = bitsFeed(graph, form, FEED.images, [-1, channels, height, width]);
  const pixels = channelsLast(graph, planes);
  const batch = batchSize(graph, planes);
  const type = options.precision === 'bfloat16' ? 'bfloat16' : 'float';
  const masks = maskCount(network);
  const units = survivalProbabilities(network).length;
  const feeds = {
    images: pixels,
    batch,
    labels: feed(FEED.labels, 'int32', [-1]),
    stepImages: feed(FEED.stepImages, 'float', []),
    learningRate: feed(FEED.learningRate, 'float', []),
    gradient: bitsFeed(graph, form, FEED.gradient, [variables.weights.size]),
    statistics: bitsFeed(graph, form, FEED.statistics, [variables.running.size]),
    dropoutKeys: masks > 0 ? feed(FEED.dropoutKeys, 'int32', [masks, 2]) : undefined,
    branches: units > 0 ? feed(FEED.branches, 'int32', [units]) : undefined,
  };
  const writePasses = (named: (fetch: string) => string) => {
    const training = graph.scope(named('train'), () =>
      trainingStep(graph, network, layout, variables, feeds, { ...options, form, images, type }),
    );
    const values = ['step', 'firstGradient', 'nextGradient', 'result', 'gradient', 'statistics'] as const;
    for (const name of values) identity(named(FETCH[name]), training[name]);
    for (const name of ['update', 'fedUpdate', 'fedMove'] as const)
      graph.after([training[name]], () => identity(named(FETCH[name]), graph.ints([1], []), 'int32'));
    const logits = graph.scope(named('evaluate'), () =>
      evaluation(graph, network, layout, variables, pixels, batch, type),
    );
    identity(named(FETCH.logits), logits);
  };
  const asNamed = (fetch: string) => fetch;
  if (compiled) {
    writePasses(compiledName);
    graph.interpreted(() => writePasses(asNamed));
  } else writePasses(asNamed);

  const parts = ['weights', 'momentum', 'running'] as const;
  for (const part of parts) identity(FETCH[part], read(graph, variables[part]));
  const assigned = parts.map((part) =>
    assignVariable(graph, variables[part], feed(FEED[part], 'float', [variables[part].size])),
  );
  graph.after(assigned, () => identity(FETCH.restored, graph.ints([1], []), 'int32'));
  return graph.savedModel();
}

/**
 * tfjs-node's binding copies float tensors to the GPU, back, and to the GPU again when they are fed; integers it
 * leaves where they are. So for a GPU the bits of large arrays come as integers.
 */
function bitsFeed(graph: GraphBuilder, form: GraphForm, name: string, shape: readonly number[]): Output {
  const type = bitsType(form);
  const fed = graph.add('Placeholder', [], { dtype: { type }, shape: { shape } }, name);
  if (type === 'float') return fed;
  return graph.add('Bitcast', [fed], { T: { type }, type: { type: 'float' } });
}

/** The type in which large arrays are fed. */
export function bitsType(form: GraphForm): 'float' | 'int32' {
  return form === 'gpu' ? 'int32' : 'float';
}

function batchSize(graph: GraphBuilder, images: Output): Output {
  const shape = graph.add('Shape', [images], { T: { type: 'float' }, out_type: { type: 'int32' } });
  const inputs = [shape, graph.ints([0]), graph.ints([1]), graph.ints([1])];
  return graph.add('StridedSlice', inputs, {
    T: { type: 'int32' },
    Index: { type: 'int32' },
    shrink_axis_mask: { int: 1 },
  });
}
