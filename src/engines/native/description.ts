import type { Network, Stage } from '../../networks/network.js';
import { UserError } from '../../util/errors.js';

/** Numbers of the stage kinds, as in native/description.h. */
const KINDS: Readonly<Record<Exclude<Stage['kind'], 'residualStage'>, number>> = {
  convolution: 0,
  maxPooling: 1,
  denseBlock: 2,
  transition: 3,
  classifier: 4,
};

/**
 * A network as the flat numbers that `parseDescription` of native/description.h reads: [channels, height,
 * width, classes], then for each stage [kind, output channels or growth rate, kernel, stride, padding,
 * normalized, layers, bottleneck, dropout].
 */
export function flatDescription(network: Network): Float64Array {
  const { channels, height, width } = network.input;
  return Float64Array.from([channels, height, width, network.classes, ...network.stages.flatMap(flatStage)]);
}

function flatStage(stage: Stage): number[] {
  if (stage.kind === 'residualStage') {
    throw new UserError('engine', 'the native engine has no residual stages', 'Use --engine tensorflow.');
  }
  const kind = KINDS[stage.kind];
  switch (stage.kind) {
    case 'convolution': {
      const { outputChannels, kernel, stride, padding, normalized } = stage;
      return [kind, outputChannels, kernel, stride, padding, Number(normalized), 0, 0, 0];
    }
    case 'maxPooling':
      return [kind, 0, stage.kernel, stage.stride, stage.padding, 0, 0, 0, 0];
    case 'denseBlock':
      return [kind, stage.growthRate, 0, 0, 0, 0, stage.layers, Number(stage.bottleneck), stage.dropout];
    case 'transition':
      return [kind, stage.outputChannels, 0, 0, 0, 0, 0, 0, stage.dropout];
    case 'classifier':
      return [kind, 0, 0, 0, 0, 0, 0, 0, 0];
  }
}
