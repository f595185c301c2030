import { key, normal, PURPOSE, uniform } from '../util/random.js';
import type { NamedTensors, Tensor } from '../util/tensor.js';
import { denseLayers } from './dense-block.js';
import { outerNames } from './names.js';
import type { Network } from './network.js';
import { type ResidualUnit, residualUnits } from './residual.js';
import { stageShapes } from './stages.js';

/**
 * A named tensor of a network. Names are torchvision's, layouts are PyTorch's: convolutions are
 * [out, in, height, width] (OIHW), the fully connected layer is [out, in], everything else is a vector.
 */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** `running` tensors are statistics of batch normalisation: never trained, never decayed. */
  readonly role: 'convolution' | 'gamma' | 'beta' | 'linear' | 'bias' | 'runningMean' | 'runningVariance';
}

/** All tensors of a network, in torchvision's order (for each BN: weight, bias, running_mean, running_var). */
export function parameters(network: Network): Parameter[] {
  const list: Parameter[] = [];
  const convolution = (name: string, out: number, input: number, kernel: number) =>
    list.push({ name: `${name}.weight`, shape: [out, input, kernel, kernel], role: 'convolution' });
  const norm = (name: string, channels: number) =>
    list.push(
      { name: `${name}.weight`, shape: [channels], role: 'gamma' },
      { name: `${name}.bias`, shape: [channels], role: 'beta' },
      { name: `${name}.running_mean`, shape: [channels], role: 'runningMean' },
      { name: `${name}.running_var`, shape: [channels], role: 'runningVariance' },
    );
  const residualUnit = ({ activation, convolutions, shortcut, projection, ...unit }: ResidualUnit) => {
    for (const { name, norm: normName, input, output, kernel } of convolutions) {
      if (activation === 'pre') norm(normName, input.channels);
      convolution(name, output.channels, input.channels, kernel);
      if (activation === 'post') norm(normName, output.channels);
    }
    if (shortcut !== 'projection') return;
    convolution(projection.name, unit.output.channels, unit.input.channels, 1);
    if (activation === 'post') norm(projection.norm, unit.output.channels);
  };
  const norms = outerNames(network);
  for (const { stage, name, input } of stageShapes(network)) {
    switch (stage.kind) {
      case 'convolution':
        convolution(name, stage.outputChannels, input.channels, stage.kernel);
        if (stage.normalized) norm(norms.norm, stage.outputChannels);
        break;
      case 'maxPooling':
        break;
      case 'denseBlock':
        for (const { convolutions } of denseLayers(stage, input, name)) {
          for (const { name, norm: normName, input, output, kernel } of convolutions) {
            norm(normName, input.channels);
            convolution(name, output.channels, input.channels, kernel);
          }
        }
        break;
      case 'transition':
        norm(`${name}.norm`, input.channels);
        convolution(`${name}.conv`, stage.outputChannels, input.channels, 1);
        break;
      case 'residualStage':
        residualUnits(stage, input, name).forEach(residualUnit);
        break;
      case 'classifier':
        if (stage.normalized) norm(norms.lastNorm, input.channels);
        list.push(
          { name: `${name}.weight`, shape: [network.classes, input.channels], role: 'linear' },
          { name: `${name}.bias`, shape: [network.classes], role: 'bias' },
        );
        break;
    }
  }
  return list;
}

export function isTrainable(parameter: Parameter): boolean {
  return parameter.role !== 'runningMean' && parameter.role !== 'runningVariance';
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Initial values, as in the authors' code (models/densenet.lua): convolutions from N(0, 2/(k²·out)) (He et al.
 * 2015, fan-out), γ = 1, β = 0, classifier weight from U(±1/√in) and bias 0. A pure function of the seed.
 */
export function initialValues(network: Network, seed: number): NamedTensors {
  const tensors = new Map<string, Tensor>();
  parameters(network).forEach(({ name, shape, role }, index) => {
    const k = key(seed, PURPOSE.initialValue, index);
    const data = new Float32Array(elementCount(shape));
    if (role === 'gamma' || role === 'runningVariance') data.fill(1);
    if (role === 'convolution') {
      const [out, , height, width] = shape as [number, number, number, number];
      const deviation = Math.sqrt(2 / (height * width * out));
      for (let i = 0; i < data.length; i++) data[i] = deviation * normal(k, i);
    }
    if (role === 'linear') {
      const bound = 1 / Math.sqrt(shape[1]!);
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * uniform(k, i) - 1);
    }
    tensors.set(name, { shape, data });
  });
  return tensors;
}
