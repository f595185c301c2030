import type { Experiment } from '../config/schema.js';
import { activationBytes, multiplyAdds, parameterCount } from '../networks/counts.js';
import type { FeatureShape } from '../networks/network.js';
import { stageTable } from '../networks/stage-table.js';
import { microBatchSize, networkOf } from './model.js';

/** A network as the paper's Table 1 prints it, with what it costs. Bytes are of one batch, in float32. */
export interface Description {
  readonly name: string;
  readonly network: string;
  readonly parameters: number;
  /** Of one image, forward: convolutions and the fully connected layer. */
  readonly multiplyAdds: number;
  /** Images that the activations are counted for. */
  readonly batch: number;
  /** Feature maps that the backward pass needs, each stored once; the images too. */
  readonly activationBytes: number;
  readonly stages: readonly {
    readonly name: string;
    /** As the paper writes them, such as `[1×1 conv, 3×3 conv] × 6`. */
    readonly layers: readonly string[];
    readonly output: FeatureShape;
    readonly parameters: number;
    readonly multiplyAdds: number;
    readonly activationBytes: number;
  }[];
}

/** Describes the network of an experiment for batches of `batch` images: by default those that it trains with. */
export function describe(experiment: Experiment, batch = microBatchSize(experiment)): Description {
  const network = networkOf(experiment);
  return {
    name: experiment.name,
    network: network.title,
    parameters: parameterCount(network),
    multiplyAdds: multiplyAdds(network),
    batch,
    activationBytes: activationBytes(network, batch),
    stages: stageTable(network).map(({ title, layers, output, parameters, multiplyAdds, activations }) => ({
      name: title,
      layers: layers.map(({ text }) => text),
      output,
      parameters,
      multiplyAdds,
      activationBytes: activations * batch * Float32Array.BYTES_PER_ELEMENT,
    })),
  };
}
