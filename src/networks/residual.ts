import { key, PURPOSE, uniform } from '../util/random.js';
import { convolutionChain, type NormalizedConvolution } from './convolutions.js';
import type { FeatureShape, Network, ResidualStage } from './network.js';

/**
 * A residual unit of a stage.
 *
 * - Identity: y = x + F(x). The unit keeps channels and size.
 * - Projection: x goes through a 1×1 convolution of the unit's stride. Post: BN follows (`layer1.0.downsample.1`). Pre:
 *   it reads what the branch's first convolution reads, ReLU(BN(x)), as in the code of both papers.
 * - Padding: every `stride`-th row and column of x, and zeros as the further channels (He et al. 2016a, option A).
 */
export interface ResidualUnit {
  /** `layer1.0`. */
  readonly name: string;
  readonly input: FeatureShape;
  readonly output: FeatureShape;
  readonly activation: ResidualStage['activation'];
  /**
   * The branch, in order, with BN before each ("pre") or after each ("post"). Dropout, if any, comes right before the
   * last.
   */
  readonly convolutions: readonly NormalizedConvolution[];
  readonly shortcut: 'identity' | 'projection' | 'padding';
  /** Of the shortcut where it is no identity. */
  readonly stride: number;
  /** The projection's convolution and its batch normalisation, whether or not they are there. */
  readonly projection: { readonly name: string; readonly norm: string };
  readonly dropout: number;
  readonly survival: number;
}

/**
 * The units of the stage `name` that reads `input`. The stride is that of the 3×3 convolution (Facebook's and
 * torchvision's ResNets), but of the first 1×1 in pre-activation bottlenecks (code of He et al. 2016b).
 */
export function residualUnits(stage: ResidualStage, input: FeatureShape, name: string): ResidualUnit[] {
  const { block, innerChannels, outputChannels, activation, dropout } = stage;
  const kernels = block === 'basic' ? [3, 3] : [1, 3, 1];
  const strided = block === 'bottleneck' && activation === 'post' ? 1 : 0;
  let x = input;
  return stage.survival.map((survival, index) => {
    const unit = `${name}.${index}`;
    const stride = index === 0 ? stage.stride : 1;
    const from = x;
    const convolutions = convolutionChain(
      from,
      kernels.map((kernel, i) => ({
        name: `${unit}.conv${i + 1}`,
        norm: `${unit}.bn${i + 1}`,
        kernel,
        stride: i === strided ? stride : 1,
        outputChannels: i === kernels.length - 1 ? outputChannels : innerChannels,
      })),
    );
    x = convolutions.at(-1)!.output;
    const same = from.channels === x.channels && stride === 1;
    return {
      name: unit,
      input: from,
      output: x,
      activation,
      convolutions,
      shortcut: same ? 'identity' : stage.shortcut,
      stride,
      projection: { name: `${unit}.downsample.0`, norm: `${unit}.downsample.1` },
      dropout,
      survival,
    };
  });
}

/** Names of the batch normalisations that only the branch of a unit has. */
export function branchNorms({ activation, convolutions, shortcut }: ResidualUnit): string[] {
  const shared = activation === 'pre' && shortcut === 'projection';
  return convolutions.slice(shared ? 1 : 0).map(({ norm }) => norm);
}

/** Survival probabilities of all residual units of a network, in order; empty without stochastic depth. */
export function survivalProbabilities(network: Network): number[] {
  const all = network.stages.flatMap((stage) => (stage.kind === 'residualStage' ? stage.survival : []));
  return all.some((survival) => survival < 1) ? all : [];
}

/**
 * Stochastic depth (Huang et al. 2016): which branches are there when micro-batch `draw` (`MicroBatch.draw`; without
 * micro-batches, the step) goes through the network: 1 or 0 for each residual unit of the network, in order; empty
 * without stochastic depth. On every engine unit u is there if `uniform(key(seed, PURPOSE.stochasticDepth, draw), u)`
 * is below its survival probability.
 *
 * A unit whose branch is not there hands on its shortcut (and a "post" unit its ReLU); the tensors of its branch get
 * gradient 0, so that weight decay and momentum alone move them, and its running statistics stay. What a projection
 * needs belongs to the shortcut: in "pre" units that is the first batch normalisation. In evaluation every branch is
 * there, multiplied by its survival probability.
 */
export function survivors(survival: readonly number[], seed: number, draw: number): Uint8Array {
  const k = key(seed, PURPOSE.stochasticDepth, draw);
  return Uint8Array.from(survival, (probability, unit) => Number(uniform(k, unit) < probability));
}
