import type { Experiment } from '../config/schema.js';
import { definitionOf } from '../datasets/definitions.js';
import type { Network } from '../networks/network.js';
import { weightsFile } from '../networks/weights.js';
import { seal, UNSEALED } from '../util/seal.js';
import type { NamedTensors } from '../util/tensor.js';
import { onnxFile } from './onnx/model.js';

export const EXPORT_FORMATS = ['safetensors', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * A network's weights as a file for other programs; `about` goes into its metadata. Counts of batches are 0: nothing
 * that PyTorch does by default needs them. A safetensors file is sealed with a digest.
 */
export function exportedFile(
  format: ExportFormat,
  experiment: Experiment,
  network: Network,
  weights: NamedTensors,
  about: Readonly<Record<string, string>> = {},
): Uint8Array {
  const metadata = { ...exportMetadata(experiment, network), ...about };
  return format === 'onnx'
    ? onnxFile(network, weights, metadata)
    : seal(weightsFile(network, weights, 0, { ...UNSEALED, ...metadata }));
}

/** What a person needs to use the weights: texts, lists as JSON. */
function exportMetadata(experiment: Experiment, network: Network): Record<string, string> {
  const { name, classNames, normalization } = definitionOf(experiment.dataset);
  return {
    experiment: experiment.name,
    network: network.title,
    dataset: name,
    mean: JSON.stringify(normalization.mean),
    deviation: JSON.stringify(normalization.deviation),
    classes: JSON.stringify(classNames),
  };
}
