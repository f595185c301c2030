import { denseLayers } from '../networks/dense-block.js';
import type { Network } from '../networks/network.js';
import { stageShapes } from '../networks/stages.js';
import { UserError } from '../util/errors.js';
import type { NamedTensors, Tensor } from '../util/tensor.js';

/** Who reads whom in a dense block, and with how large weights (paper, Figure 5). */
export interface ReuseBlock {
  /** Dense blocks count from 1. */
  readonly block: number;
  /** Where the feature maps come from: the block's input, then its layers. */
  readonly sources: readonly { readonly name: string; readonly channels: number }[];
  /** Who reads them: the block's layers, then the transition or the classifier after it. */
  readonly targets: readonly string[];
  /** Mean absolute weight that a target has on a source's feature maps: [source][target]; undefined if it has none. */
  readonly mean: readonly (readonly (number | undefined)[])[];
}

/**
 * The measure of Figure 5 for every dense block of a network: the mean of |w| over the weights of a target's first
 * convolution (or of the classifier) that read the feature maps of a source. The source's share of the input channels
 * is cut from the weights [out, in, …] along the second axis. γ of batch normalisation is left out, as in the paper.
 * Throws a UserError (usage) if the network has no dense block.
 */
export function featureReuse(network: Network, weights: NamedTensors): ReuseBlock[] {
  const stages = stageShapes(network);
  const blocks: ReuseBlock[] = [];
  stages.forEach(({ stage, name, input }, index) => {
    if (stage.kind !== 'denseBlock') return;
    const layers = denseLayers(stage, input, name);
    const sources = [
      { name: 'input', channels: input.channels },
      ...layers.map(({ output }, i) => ({ name: `${i + 1}`, channels: output.channels })),
    ];
    const next = stages[index + 1]!;
    const behind =
      next.stage.kind === 'transition'
        ? { name: 'transition', tensor: weights.get(`${next.name}.conv.weight`)! }
        : { name: 'classifier', tensor: weights.get(`${next.name}.weight`)! };
    const targets = [
      ...layers.map(({ convolutions }, i) => ({
        name: `${i + 1}`,
        tensor: weights.get(`${convolutions[0]!.name}.weight`)!,
      })),
      behind,
    ];
    const columns = targets.map(({ tensor }) => meanAbsoluteWeights(tensor, sources));
    blocks.push({
      block: blocks.length + 1,
      sources,
      targets: targets.map(({ name }) => name),
      mean: sources.map((_, source) => columns.map((column) => column[source])),
    });
  });
  if (blocks.length > 0) return blocks;
  throw new UserError(
    'usage',
    `${network.title} has no dense block, so there is no feature reuse to show`,
    'Take a run of a DenseNet.',
  );
}

/** Mean |w| on each source whose channels the tensor reads; they lie one after the other. */
function meanAbsoluteWeights({ shape, data }: Tensor, sources: ReuseBlock['sources']): number[] {
  const [out, input, ...kernel] = shape as [number, number, ...number[]];
  const area = kernel.reduce((product, size) => product * size, 1);
  const means: number[] = [];
  let first = 0;
  for (const { channels } of sources) {
    if (first + channels > input) break;
    let sum = 0;
    for (let o = 0; o < out; o++) {
      const start = (o * input + first) * area;
      for (let i = start; i < start + channels * area; i++) sum += Math.abs(data[i]!);
    }
    means.push(sum / (out * channels * area));
    first += channels;
  }
  return means;
}
