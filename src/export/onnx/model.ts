import type { Network } from '../../networks/network.js';
import { packageVersion } from '../../util/package.js';
import { ProtobufMessage } from '../../util/protobuf.js';
import type { NamedTensors } from '../../util/tensor.js';
import { modelMessage, tensorMessage, valueMessage } from './messages.js';
import { INPUT, networkNodes, OUTPUT } from './nodes.js';

/**
 * An ONNX file of a network in evaluation mode: `images`, float32 [batch, C, H, W] and normalised, to `logits`,
 * float32 [batch, classes]. The batch may be of any size. Weights have the names of `parameters(network)`.
 */
export function onnxFile(
  network: Network,
  weights: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const { channels, height, width } = network.input;
  const input = {
    name: INPUT,
    shape: ['batch', channels, height, width],
    description: 'Images, normalised: (byte - mean) / deviation for each channel; see the metadata.',
  };
  const output = {
    name: OUTPUT,
    shape: ['batch', network.classes],
    description: 'Logits: the softmax of a row gives the probabilities of the classes.',
  };
  const graph = new ProtobufMessage();
  for (const node of networkNodes(network)) graph.message(1, node);
  graph.string(2, network.title);
  for (const [name, tensor] of weights) graph.message(5, tensorMessage(name, tensor));
  graph.message(11, valueMessage(input)).message(12, valueMessage(output));
  return modelMessage(graph, { name: 'densenet', version: packageVersion }, metadata).finish();
}
