import { type FeatureShape, outputShape } from './network.js';

/** A convolution of a dense layer or a residual unit, with its batch normalisation. */
export interface NormalizedConvolution {
  /** `features.denseblock1.denselayer1.conv1`, `layer1.0.conv1`. */
  readonly name: string;
  /** `features.denseblock1.denselayer1.norm1`, `layer1.0.bn1`. */
  readonly norm: string;
  readonly input: FeatureShape;
  readonly output: FeatureShape;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

type Description = Pick<NormalizedConvolution, 'name' | 'norm' | 'kernel' | 'stride'> & {
  readonly outputChannels: number;
};

/**
 * Convolutions one after another, the first of which reads `input`. Each is padded to keep its input's size at stride
 * 1.
 */
export function convolutionChain(
  input: FeatureShape,
  descriptions: readonly Description[],
): NormalizedConvolution[] {
  let x = input;
  return descriptions.map(({ name, norm, kernel, stride, outputChannels }) => {
    const padding = (kernel - 1) / 2;
    const stage = { kind: 'convolution', outputChannels, kernel, stride, padding, normalized: true } as const;
    const read = x;
    x = outputShape(stage, read, 0);
    return { name, norm, kernel, stride, padding, input: read, output: x };
  });
}
