import type { Network, Stage } from '../../src/networks/network.js';
import type { NamedTensors } from '../../src/util/tensor.js';
import { type BatchNorm, normalizeByBatch, normalizeByRunning } from './batch-norm.js';
import { linear } from './classifier.js';
import { convolution } from './convolution.js';
import { concatenate, dropout, relu } from './elementwise.js';
import { averagePooling, globalAverage, maxPooling } from './pooling.js';
import { Tape, type Value, value } from './tape.js';

/** The network's tensors under the names of `parameters(network)`. */
export type Values = ReadonlyMap<string, Value>;

/**
 * The dropout mask of the convolution `name` (without `.weight`), whose result has `size` values: 0 where a
 * value is dropped, 1/(1 − p) where it is kept.
 */
export type Masks = (name: string, size: number, probability: number) => Float64Array;

export function toValues(tensors: NamedTensors): Values {
  return new Map([...tensors].map(([name, { shape, data }]) => [name, value(shape, data)]));
}

/** Logits [N, classes] in evaluation mode. images: [N, C, H, W]. */
export function predict(network: Network, values: Values, images: ArrayLike<number>): Float64Array {
  const noMasks: Masks = (_, size) => new Float64Array(size).fill(1);
  return new Pass(network, values, new Tape(), noMasks, (_, x, norm) => normalizeByRunning(x, norm)).run(
    images,
  ).data;
}

/** Logits in training mode, recorded on the tape; moves the running statistics among `values`. */
export function forward(
  tape: Tape,
  network: Network,
  values: Values,
  images: ArrayLike<number>,
  masks: Masks,
): Value {
  return new Pass(network, values, tape, masks, normalizeByBatch).run(images);
}

/** One way through the network, stage by stage (paper, section 3 and table 1). */
class Pass {
  private blocks = 0;
  private transitions = 0;

  constructor(
    private readonly network: Network,
    private readonly values: Values,
    private readonly tape: Tape,
    private readonly masks: Masks,
    private readonly normalize: (tape: Tape, x: Value, norm: BatchNorm) => Value,
  ) {}

  run(images: ArrayLike<number>): Value {
    const { channels, height, width } = this.network.input;
    const n = images.length / (channels * height * width);
    const input = value([n, channels, height, width], images);
    return this.network.stages.reduce((x, stage) => this.stage(stage, x), input);
  }

  private stage(stage: Stage, x: Value): Value {
    switch (stage.kind) {
      case 'convolution': {
        const y = this.convolution('features.conv0', x, stage.stride, stage.padding);
        return stage.normalized ? this.normRelu('features.norm0', y) : y;
      }
      case 'maxPooling':
        return maxPooling(this.tape, x, stage.kernel, stage.stride, stage.padding);
      case 'denseBlock': {
        const block = `features.denseblock${++this.blocks}`;
        let maps = x;
        for (let layer = 1; layer <= stage.layers; layer++) {
          const name = `${block}.denselayer${layer}`;
          let y = this.normRelu(`${name}.norm1`, maps);
          if (stage.bottleneck) {
            y = this.dropped(`${name}.conv1`, this.convolution(`${name}.conv1`, y, 1, 0), stage.dropout);
            y = this.normRelu(`${name}.norm2`, y);
          }
          const last = `${name}.${stage.bottleneck ? 'conv2' : 'conv1'}`;
          y = this.dropped(last, this.convolution(last, y, 1, 1), stage.dropout);
          maps = concatenate(this.tape, maps, y);
        }
        return maps;
      }
      case 'transition': {
        const name = `features.transition${++this.transitions}`;
        const y = this.convolution(`${name}.conv`, this.normRelu(`${name}.norm`, x), 1, 0);
        return averagePooling(this.tape, this.dropped(`${name}.conv`, y, stage.dropout));
      }
      case 'classifier': {
        const features = globalAverage(this.tape, this.normRelu('features.norm5', x));
        return linear(this.tape, features, this.get('classifier.weight'), this.get('classifier.bias'));
      }
    }
  }

  private get(name: string): Value {
    const found = this.values.get(name);
    if (found === undefined) throw new Error(`no tensor '${name}'`);
    return found;
  }

  private convolution(name: string, x: Value, stride: number, padding: number): Value {
    return convolution(this.tape, x, this.get(`${name}.weight`), stride, padding);
  }

  private normRelu(name: string, x: Value): Value {
    const y = this.normalize(this.tape, x, {
      gamma: this.get(`${name}.weight`),
      beta: this.get(`${name}.bias`),
      mean: this.get(`${name}.running_mean`),
      variance: this.get(`${name}.running_var`),
    });
    return relu(this.tape, y);
  }

  private dropped(name: string, x: Value, probability: number): Value {
    return probability === 0 ? x : dropout(this.tape, x, this.masks(name, x.data.length, probability));
  }
}
