import type { Network, Stage } from '../../networks/network.js';

/** Numbers of the stage kinds, as in native/description.h. */
const KINDS: Readonly<Record<Stage['kind'], number>> = {
  convolution: 0,
  maxPooling: 1,
  denseBlock: 2,
  transition: 3,
  classifier: 4,
  residualStage: 5,
};

/** What a stage is in numbers; what its kind does not have is 0. */
interface StageNumbers {
  /** Or the growth rate. */
  readonly outputChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly normalized: boolean;
  /** Dense layers or residual units. */
  readonly layers: number;
  readonly bottleneck: boolean;
  readonly dropout: number;
  readonly innerChannels: number;
  readonly preActivation: boolean;
  readonly projection: boolean;
  /** One for each residual unit. */
  readonly survival: readonly number[];
}

/**
 * A network as the flat numbers that `parseDescription` of native/description.h reads: [channels, height,
 * width, classes], then for each stage its kind and its `StageNumbers`, in their order.
 */
export function flatDescription(network: Network): Float64Array {
  const { channels, height, width } = network.input;
  return Float64Array.from([channels, height, width, network.classes, ...network.stages.flatMap(flatStage)]);
}

function flatStage(stage: Stage): number[] {
  const numbers = stageNumbers(stage);
  return [
    KINDS[stage.kind],
    numbers.outputChannels ?? 0,
    numbers.kernel ?? 0,
    numbers.stride ?? 0,
    numbers.padding ?? 0,
    Number(numbers.normalized ?? false),
    numbers.layers ?? 0,
    Number(numbers.bottleneck ?? false),
    numbers.dropout ?? 0,
    numbers.innerChannels ?? 0,
    Number(numbers.preActivation ?? false),
    Number(numbers.projection ?? false),
    ...(numbers.survival ?? []),
  ];
}

function stageNumbers(stage: Stage): Partial<StageNumbers> {
  switch (stage.kind) {
    case 'denseBlock':
      return { ...stage, outputChannels: stage.growthRate };
    case 'residualStage':
      return {
        ...stage,
        layers: stage.units,
        bottleneck: stage.block === 'bottleneck',
        preActivation: stage.activation === 'pre',
        projection: stage.shortcut === 'projection',
      };
    default:
      return stage;
  }
}
