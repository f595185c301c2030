import { UserError } from '../util/errors.js';
import type { Network, NetworkInput, ResidualStage, Stage } from './network.js';

/** What a config says of a ResNet. */
export interface ResNetOptions {
  /** L: counts convolutions and the fully connected layer; of a Wide ResNet, convolutions and projections. */
  readonly depth: number;
  /** `post`: as first published (He et al. 2016a). `pre`: BN-ReLU before every convolution (He et al. 2016b). */
  readonly activation: 'pre' | 'post';
  /** 1×1, 3×3 and 1×1 convolutions in a unit instead of two 3×3. */
  readonly bottleneck: boolean;
  /**
   * Channels of every stage, in units of the usual ones; above 1 it is a Wide ResNet (Zagoruyko and Komodakis 2016).
   */
  readonly width: number;
  /** Probability that a value is dropped before the last convolution of a unit; 0 for none. */
  readonly dropout: number;
  /** p_L: survival probability of the last unit; below 1 it is stochastic depth (Huang et al. 2016). */
  readonly survival: number;
  /** Residual units of each stage, for a network with the ImageNet stem. */
  readonly blocks?: readonly number[] | undefined;
}

/** Residual stages of the networks for CIFAR and SVHN (He et al. 2016a, section 4.2). */
const STAGES = 3;

/** Channels of the first convolution, and of the first stage's 3×3 convolutions. */
const CHANNELS = 16;
const IMAGENET_CHANNELS = 64;

/** Output channels of a bottleneck, in units of its 3×3 convolution's. */
const EXPANSION = 4;

/** Another option than this network takes, and what to do about it. */
export interface ResNetProblem {
  readonly option: keyof ResNetOptions;
  readonly message: string;
  readonly remedy: string;
}

/**
 * What does not fit together, or undefined. Three equal stages need L = 6n+2 (9n+2 with bottleneck; 6n+4 for a Wide
 * ResNet, whose three projections are counted and whose fully connected layer is not). Where the units are listed
 * the depth must be theirs.
 */
export function resNetProblem(options: ResNetOptions): ResNetProblem | undefined {
  const { depth, activation, bottleneck, width, blocks } = options;
  if (width > 1 && (activation === 'post' || bottleneck || blocks)) {
    return {
      option: 'width',
      message: `is ${width}, but a Wide ResNet is a pre-activation network without bottleneck or listed blocks`,
      remedy: "Set network.activation to 'pre' and network.bottleneck to false, or network.width to 1.",
    };
  }
  if (blocks && activation === 'pre') {
    return {
      option: 'blocks',
      message: `is ${JSON.stringify(blocks)}, but the ResNets with the ImageNet stem are post-activation networks`,
      remedy: "Set network.activation to 'post', or leave out network.blocks.",
    };
  }
  const perUnit = bottleneck ? 3 : 2;
  if (blocks) {
    const layers = 2 + perUnit * blocks.reduce((sum, n) => sum + n, 0);
    if (depth === layers) return undefined;
    const message = `is ${depth}, but the listed blocks make ${layers} layers`;
    return { option: 'depth', message, remedy: `Use ${layers}.` };
  }
  const outer = outerLayers(options);
  const step = STAGES * perUnit;
  const units = (depth - outer) / step;
  if (Number.isInteger(units) && units >= 1) return undefined;
  const below = Math.floor(units);
  const nearest = [below, below + 1].filter((n) => n >= 1).map((n) => outer + step * n);
  const kind = width > 1 ? 'of a Wide ResNet' : `${bottleneck ? 'with' : 'without'} bottleneck`;
  return {
    option: 'depth',
    message: `is ${depth}, which does not divide into ${STAGES} equal stages: L = ${step}n+${outer} ${kind}`,
    remedy: `Use ${(nearest.length > 0 ? nearest : [outer + step]).join(' or ')}.`,
  };
}

/**
 * Layers outside the units that count: first convolution and fully connected layer, or first convolution and
 * projections.
 */
function outerLayers({ width }: Pick<ResNetOptions, 'width'>): number {
  return width > 1 ? 1 + STAGES : 2;
}

/** `ResNet`, `ResNet (pre-activation)`, `ResNet with Stochastic Depth`, `Wide ResNet with Dropout`, as in Table 2. */
export function resNetVariant({ activation, width, dropout, survival }: ResNetOptions): string {
  const name = width > 1 ? 'Wide ResNet' : activation === 'pre' ? 'ResNet (pre-activation)' : 'ResNet';
  const extras = [...(survival < 1 ? ['Stochastic Depth'] : []), ...(dropout > 0 ? ['Dropout'] : [])];
  return extras.length > 0 ? `${name} with ${extras.join(' and ')}` : name;
}

/**
 * Builds a ResNet: for CIFAR and SVHN a 3×3 convolution and three equal stages of 16, 32 and 64 channels (four times
 * that with bottleneck, `width` times in a Wide ResNet); with `blocks` a 7×7 convolution of stride 2, max pooling and
 * the listed units (He et al. 2016a, Table 1). The basic networks for CIFAR have shortcuts without parameters,
 * which pad with zeros; all others project.
 * Throws a UserError (usage) if the options do not fit together.
 */
export function buildResNet(options: ResNetOptions, input: NetworkInput): Network {
  const problem = resNetProblem(options);
  if (problem) {
    throw new UserError('usage', `network.${problem.option} ${problem.message}`, problem.remedy);
  }
  const { classes, ...image } = input;
  const normalized = options.activation === 'post';
  const stages: Stage[] = options.blocks
    ? [
        {
          kind: 'convolution',
          outputChannels: IMAGENET_CHANNELS,
          kernel: 7,
          stride: 2,
          padding: 3,
          normalized,
        },
        { kind: 'maxPooling', kernel: 3, stride: 2, padding: 1 },
      ]
    : [{ kind: 'convolution', outputChannels: CHANNELS, kernel: 3, stride: 1, padding: 1, normalized }];
  stages.push(...residualStages(options), { kind: 'classifier', normalized: !normalized });
  return { title: title(options), family: 'resnet', input: image, classes, stages };
}

/** `Wide ResNet (L=28, k=10)`, `ResNet (pre-activation, L=164)`. */
function title(options: ResNetOptions): string {
  const { depth, width } = options;
  return `${resNetVariant(options)} (L=${depth}${width > 1 ? `, k=${width}` : ''})`.replace(') (', ', ');
}

function residualStages(options: ResNetOptions): ResidualStage[] {
  const { depth, activation, bottleneck, width, dropout, blocks } = options;
  const equal = (depth - outerLayers(options)) / STAGES / (bottleneck ? 3 : 2);
  const units = blocks ?? Array.from({ length: STAGES }, () => equal);
  const base = blocks ? IMAGENET_CHANNELS : CHANNELS * width;
  const shortcut = blocks || bottleneck || width > 1 ? 'projection' : 'padding';
  const survival = survivalOf(options.survival, units);
  return units.map((count, index) => {
    const innerChannels = base * 2 ** index;
    return {
      kind: 'residualStage',
      units: count,
      outputChannels: bottleneck ? EXPANSION * innerChannels : innerChannels,
      block: bottleneck ? 'bottleneck' : 'basic',
      innerChannels,
      stride: index === 0 ? 1 : 2,
      activation,
      shortcut,
      dropout,
      survival: survival[index]!,
    };
  });
}

/** Linear decay (Huang et al. 2016, equation 4): unit l of all L survives with p_l = 1 − l/L·(1 − p_L). */
function survivalOf(last: number, units: readonly number[]): number[][] {
  const all = units.reduce((sum, n) => sum + n, 0);
  let unit = 0;
  return units.map((count) => Array.from({ length: count }, () => 1 - (++unit / all) * (1 - last)));
}
