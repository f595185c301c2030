import { type StageCounts, stageCounts } from './counts.js';
import type { FeatureShape, Network, Stage } from './network.js';

/** A stage as the paper's Table 1 prints it, with what it costs. */
export interface StageRow extends StageCounts {
  /** `Dense Block (1)`. */
  readonly title: string;
  /** One or two lines: what is done, and the shape that it makes. */
  readonly layers: readonly { readonly text: string; readonly output: FeatureShape }[];
}

/** The network in the words of the paper's Table 1. */
export function stageTable(network: Network): StageRow[] {
  const seen = new Map<Stage['kind'], number>();
  return stageCounts(network).map((counts) => {
    const { stage } = counts;
    const number = (seen.get(stage.kind) ?? 0) + 1;
    seen.set(stage.kind, number);
    return { ...counts, title: stageTitle(stage, number), layers: stageLayers(counts) };
  });
}

function stageTitle(stage: Stage, number: number): string {
  switch (stage.kind) {
    case 'convolution':
      return 'Convolution';
    case 'maxPooling':
      return 'Pooling';
    case 'denseBlock':
      return `Dense Block (${number})`;
    case 'transition':
      return `Transition Layer (${number})`;
    case 'residualStage':
      return `Residual Stage (${number})`;
    case 'classifier':
      return 'Classification Layer';
  }
}

function stageLayers({ stage, input, output }: StageCounts): StageRow['layers'] {
  switch (stage.kind) {
    case 'convolution':
      return [{ text: `${stage.kernel}×${stage.kernel} conv${stride(stage)}`, output }];
    case 'maxPooling':
      return [{ text: `${stage.kernel}×${stage.kernel} max pool${stride(stage)}`, output }];
    case 'denseBlock': {
      const convolutions = stage.bottleneck ? '1×1 conv, 3×3 conv' : '3×3 conv';
      return [{ text: `[${convolutions}] × ${stage.layers}`, output }];
    }
    case 'transition':
      return [
        { text: '1×1 conv', output: { ...input, channels: stage.outputChannels } },
        { text: '2×2 average pool, stride 2', output },
      ];
    case 'residualStage': {
      const convolutions = stage.block === 'basic' ? '3×3 conv, 3×3 conv' : '1×1 conv, 3×3 conv, 1×1 conv';
      return [{ text: `[${convolutions}] × ${stage.units}${stride(stage)}`, output }];
    }
    case 'classifier':
      return [
        {
          text: `${input.height}×${input.width} global average pool`,
          output: { channels: input.channels, height: 1, width: 1 },
        },
        { text: `${output.channels}D fully-connected, softmax`, output },
      ];
  }
}

function stride(stage: { readonly stride: number }): string {
  return stage.stride > 1 ? `, stride ${stage.stride}` : '';
}
