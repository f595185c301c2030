import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import protos from '@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js';
import { expect, test } from 'vitest';
import { configNames } from '../../src/config/files.js';
import { loadExperiment } from '../../src/config/load.js';
import { layoutOf } from '../../src/engines/tensorflow/graph/layout.js';
import { modelGraph } from '../../src/engines/tensorflow/graph/model-graph.js';
import { parameters } from '../../src/networks/parameters.js';
import { networkOf } from '../../src/training/model.js';
import { DEFAULTS } from '../engines/conformance/models.js';
import { tensorflowFolder } from './machine.js';

/** What reading a graph takes of the protocol buffer classes, for which their package has no types. */
interface Node {
  getOp(): string;
  getAttrMap(): { get(name: string): { getB(): boolean } | undefined };
}
interface Model {
  getMetaGraphsList(): { getGraphDef(): { getNodeList(): Node[] } }[];
}
const SavedModel = protos.SavedModel as unknown as { deserializeBinary(bytes: Uint8Array): Model };

/** What TensorFlow says where it has no deterministic kernel on a GPU, and the operations that it says it of. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  'A deterministic GPU implementation of AdjustContrast is not currently available': /^AdjustContrast$/,
  'A deterministic GPU implementation of AdjustContrastv2 is not currently available': /^AdjustContrastv2$/,
  'A deterministic GPU implementation of DepthwiseConvBackpropFilter is not available':
    /^DepthwiseConv2dNativeBackpropFilter$/,
  'A deterministic GPU implementation of ResizeNearestNeighborGrad is not currently available':
    /^ResizeNearestNeighborGrad$/,
  'A deterministic GPU implementation of SparseTensorDenseMatmulOp is not currently available':
    /^SparseTensorDenseMatMul$/,
  'A deterministic GPU implementation of fused batch-norm backprop, when training is disabled, is not currently available':
    /^FusedBatchNormGrad(V2|V3)? in evaluation$/,
  'Determinism is not yet supported for DebugNumericSummaryV2': /^DebugNumericSummaryV2$/,
  'Determinism is not yet supported for Dilation2DBackpropFilter': /^Dilation2DBackpropFilter$/,
  'Determinism is not yet supported for Dilation2DBackpropInput': /^Dilation2DBackpropInput$/,
  'Determinism is not yet supported for MaxPoolGradWithArgmax': /^MaxPoolGradWithArgmax$/,
  'Determinism is not yet supported for SVD of matrices with 1 column': /^Svd$/,
  'Determinism is not yet supported in GPU implementation of Bincount': /^Bincount$/,
  'Determinism is not yet supported in GPU implementation of DenseBincount': /^DenseBincount$/,
  'Determinism is not yet supported in GPU implementation of FakeQuantWithMinMaxVarsGradient':
    /^FakeQuantWithMinMaxVarsGradient$/,
  'Determinism is not yet supported in GPU implementation of FakeQuantWithMinMaxVarsPerChannelGradient':
    /^FakeQuantWithMinMaxVarsPerChannelGradient$/,
  'Determinism is not yet supported in GPU implementation of Scatter ops with ref inputs': /^Scatter/,
  'Deterministic GPU implementation of CropAndResizeBackpropBoxes not available': /^CropAndResizeGradBoxes$/,
  'Deterministic GPU implementation of CropAndResizeBackpropImage not available': /^CropAndResizeGradImage$/,
  'Deterministic GPU implementation of sorted segment reduction op not available': /^(Sparse)?Segment/,
  'Deterministic GPU implementation of unsorted segment reduction op not available': /^UnsortedSegment/,
  'The GPU implementation of SoftmaxCrossEntropyWithLogits that would have been executed is not deterministic':
    /^SoftmaxCrossEntropyWithLogits$/,
  'The GPU implementation of SparseSoftmaxCrossEntropyWithLogits that would have been executed is not deterministic':
    /^SparseSoftmaxCrossEntropyWithLogits$/,
  'Timestamp cannot be called when determinism is enabled': /^Timestamp$/,
  'When determinism is enabled, random ops must have a seed specified':
    /^(Random|ParameterizedTruncated|Truncated)/,
};

/** A sentence of that kind, in the strings of the library. Those about XLA or cuDNN's attention are of other code. */
const SENTENCE = new RegExp(
  [
    'A deterministic GPU implementation of [\\w ,-]+? is not (?:currently )?available',
    'Determinism is not yet supported [\\w ]+?(?=\\.| when )',
    'Deterministic GPU implementation of [\\w ]+ not available',
    'The GPU implementation of \\w+ that would have been executed is not deterministic',
    '\\w+ cannot be called when determinism is enabled',
    'When determinism is enabled, [\\w ]+ must have [\\w ]+',
  ].join('|'),
  'g',
);

/** Characters that a sentence may have, so that none is lost where two pieces of a file meet. */
const LONGEST = 1000;

async function sentences(file: string): Promise<Set<string>> {
  const found = new Set<string>();
  let rest = '';
  for await (const piece of createReadStream(file, { encoding: 'latin1', highWaterMark: 1 << 24 })) {
    const text = rest + piece;
    for (const { index } of text.matchAll(/determini/gi)) {
      const [begin, end] = [text.lastIndexOf('\0', index) + 1, text.indexOf('\0', index)];
      // What is cut off here is whole in the next piece.
      if (end === -1) continue;
      for (const [sentence] of text.slice(begin, end).matchAll(SENTENCE)) found.add(sentence);
    }
    rest = text.slice(-LONGEST);
  }
  return found;
}

test('the list of refusals is that of the library', async () => {
  const found = new Set<string>();
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
    for (const sentence of await sentences(join(tensorflowFolder(), name))) found.add(sentence);
  }
  expect([...found].sort()).toEqual(Object.keys(REFUSALS).sort());
});

/** Names of the operations of a graph; of batch normalisation's gradient, whether it is that of evaluation. */
function operations(savedModel: Uint8Array): Set<string> {
  const graph = SavedModel.deserializeBinary(savedModel).getMetaGraphsList()[0]!.getGraphDef();
  return new Set(
    graph.getNodeList().map((node) => {
      const training = node.getAttrMap().get('is_training');
      return node.getOp() + (training && !training.getB() ? ' in evaluation' : '');
    }),
  );
}

test.each(configNames())('nothing that the graph of %s asks of a GPU is refused', async (config) => {
  const network = networkOf(await loadExperiment(config));
  const found = operations(
    modelGraph(network, layoutOf(parameters(network)), DEFAULTS, {
      form: 'gpu',
      images: 64,
      compiled: false,
    }),
  );
  expect(found).toContain('Conv2D');
  for (const refused of Object.values(REFUSALS)) {
    expect([...found].filter((operation) => refused.test(operation))).toEqual([]);
  }
});
