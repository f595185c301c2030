import { outerNames } from '../../src/networks/names.js';
import type { Network, Stage } from '../../src/networks/network.js';
import { type ResidualUnit, residualUnits } from '../../src/networks/residual.js';
import type { NamedTensors } from '../../src/util/tensor.js';
import { type BatchNorm, normalizeByBatch, normalizeByRunning } from './batch-norm.js';
import { linear } from './classifier.js';
import { convolution, exact, type Rounding } from './convolution.js';
import { add, concatenate, dropout, relu, scale } from './elementwise.js';
import { averagePooling, globalAverage, maxPooling } from './pooling.js';
import { padShortcut } from './residual.js';
import { mapShape, Tape, type Value, value } from './tape.js';

/** The network's tensors under the names of `parameters(network)`. */
export type Values = ReadonlyMap<string, Value>;

/**
 * The dropout mask of the convolution `name` (without `.weight`): 0 where a value is dropped, 1/(1 − p) where it is
 * kept. It is laid on the convolution's result in dense blocks and transitions, on what it reads in residual units;
 * that has `size` values.
 */
export type Masks = (name: string, size: number, probability: number) => Float64Array;

/** Whether the branch of residual unit `unit` (of the network, from 0) is there in a step of stochastic depth. */
export type Branches = (unit: number) => boolean;

export function toValues(tensors: NamedTensors): Values {
  return new Map([...tensors].map(([name, { shape, data }]) => [name, value(shape, data)]));
}

/** Logits [N, classes] in evaluation mode. images: [N, C, H, W]. */
export function predict(
  network: Network,
  values: Values,
  images: ArrayLike<number>,
  round: Rounding = exact,
): Float64Array {
  const noMasks: Masks = (_, size) => new Float64Array(size).fill(1);
  const normalize: Normalize = (_, x, norm) => normalizeByRunning(x, norm);
  return new Pass(network, values, new Tape(), noMasks, 'expected', normalize, round).run(images).data;
}

/** Logits in training mode, recorded on the tape; moves the running statistics among `values`. */
export function forward(
  tape: Tape,
  network: Network,
  values: Values,
  images: ArrayLike<number>,
  masks: Masks,
  branches: Branches,
  round: Rounding = exact,
): Value {
  return new Pass(network, values, tape, masks, branches, normalizeByBatch, round).run(images);
}

type Normalize = (tape: Tape, x: Value, norm: BatchNorm) => Value;

/** One way through the network, stage by stage (paper, section 3 and table 1). */
class Pass {
  private blocks = 0;
  private transitions = 0;
  private residualStages = 0;
  private units = 0;

  constructor(
    private readonly network: Network,
    private readonly values: Values,
    private readonly tape: Tape,
    private readonly masks: Masks,
    /** `expected`: every branch, multiplied by its survival probability. */
    private readonly branches: Branches | 'expected',
    private readonly normalize: Normalize,
    /** Of the convolutions' operands. */
    private readonly round: Rounding,
  ) {}

  run(images: ArrayLike<number>): Value {
    const { channels, height, width } = this.network.input;
    const n = images.length / (channels * height * width);
    const input = value([n, channels, height, width], images);
    return this.network.stages.reduce((x, stage) => this.stage(stage, x), input);
  }

  private stage(stage: Stage, x: Value): Value {
    const names = outerNames(this.network);
    switch (stage.kind) {
      case 'convolution': {
        const y = this.convolution(names.convolution, x, stage.stride, stage.padding);
        return stage.normalized ? this.normRelu(names.norm, y) : y;
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
        const normalized = this.normRelu(`${name}.norm`, x);
        // The same but for the rounding of operands: engines take the order with fewer products.
        if (this.round !== exact && stage.dropout === 0)
          return this.convolution(`${name}.conv`, averagePooling(this.tape, normalized), 1, 0);
        const y = this.convolution(`${name}.conv`, normalized, 1, 0);
        return averagePooling(this.tape, this.dropped(`${name}.conv`, y, stage.dropout));
      }
      case 'residualStage': {
        const [, channels, height, width] = mapShape(x);
        const units = residualUnits(stage, { channels, height, width }, `layer${++this.residualStages}`);
        return units.reduce((maps, unit) => this.residualUnit(unit, maps), x);
      }
      case 'classifier': {
        const features = globalAverage(this.tape, stage.normalized ? this.normRelu(names.lastNorm, x) : x);
        const [weight, bias] = ['weight', 'bias'].map((part) => this.get(`${names.classifier}.${part}`));
        return linear(this.tape, features, weight!, bias!);
      }
    }
  }

  /** y = shortcut + F(x) before activation, ReLU(shortcut + F(x)) after it (He et al. 2016b and 2016a). */
  private residualUnit(unit: ResidualUnit, x: Value): Value {
    const number = this.units++;
    const { activation, shortcut, stride, projection, output, survival } = unit;
    const there = this.branches === 'expected' || survival === 1 || this.branches(number);
    const first = unit.convolutions[0]!;
    // A pre-activation unit that projects reads ReLU(BN(x)) with both: that is done even if the branch is not there.
    const shared = activation === 'pre' && shortcut === 'projection';
    const read = activation === 'pre' && (there || shared) ? this.normRelu(first.norm, x) : x;
    const project = () => {
      const y = this.convolution(projection.name, shared ? read : x, stride, 0);
      return activation === 'post' ? this.norm(projection.norm, y) : y;
    };
    const around =
      shortcut === 'identity'
        ? x
        : shortcut === 'padding'
          ? padShortcut(this.tape, x, output.channels, stride)
          : project();
    if (!there) return activation === 'post' ? relu(this.tape, around) : around;
    const branch = this.branch(unit, read);
    const scaled = this.branches === 'expected' ? scale(this.tape, branch, survival) : branch;
    const sum = add(this.tape, around, scaled);
    return activation === 'post' ? relu(this.tape, sum) : sum;
  }

  /** F of a residual unit; `x` has been through the first BN-ReLU where that comes before the convolutions. */
  private branch({ activation, convolutions, dropout }: ResidualUnit, x: Value): Value {
    return convolutions.reduce((maps, { name, norm, stride, padding }, index) => {
      const last = index === convolutions.length - 1;
      const active =
        index === 0 ? maps : activation === 'pre' ? this.normRelu(norm, maps) : relu(this.tape, maps);
      const read = last ? this.dropped(name, active, dropout) : active;
      const y = this.convolution(name, read, stride, padding);
      return activation === 'post' ? this.norm(norm, y) : y;
    }, x);
  }

  private get(name: string): Value {
    const found = this.values.get(name);
    if (found === undefined) throw new Error(`no tensor '${name}'`);
    return found;
  }

  private convolution(name: string, x: Value, stride: number, padding: number): Value {
    return convolution(this.tape, x, this.get(`${name}.weight`), stride, padding, this.round);
  }

  private norm(name: string, x: Value): Value {
    return this.normalize(this.tape, x, {
      gamma: this.get(`${name}.weight`),
      beta: this.get(`${name}.bias`),
      mean: this.get(`${name}.running_mean`),
      variance: this.get(`${name}.running_var`),
    });
  }

  private normRelu(name: string, x: Value): Value {
    return relu(this.tape, this.norm(name, x));
  }

  private dropped(name: string, x: Value, probability: number): Value {
    return probability === 0 ? x : dropout(this.tape, x, this.masks(name, x.data.length, probability));
  }
}
