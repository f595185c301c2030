import type { ResidualStage } from '../../../networks/network.js';
import { type ResidualUnit, residualUnits } from '../../../networks/residual.js';
import type { Output } from './builder.js';
import type { TrainingContext, TrainingStage } from './context.js';
import type { FeatureMaps } from './features.js';
import { convolution, dropout, type GraphLayer } from './layers.js';
import { normOnce, normReluOnce } from './normalization.js';
import type { MapShape } from './ops.js';
import { whereThere } from './stochastic-depth.js';

/** A stage of a ResNet; `residualUnits` says what each of its units computes. */
export function residualStage(
  context: TrainingContext,
  name: string,
  stage: ResidualStage,
  input: FeatureMaps,
  output: MapShape,
): TrainingStage {
  const units: GraphLayer[] = [];
  const inputs: Output[] = [];
  let { x } = input;
  for (const unit of residualUnits(stage, input.shape, name)) {
    const layer = context.graph.scope(unit.name, () => residualUnit(context, unit, x));
    units.push(layer);
    inputs.push(x);
    x = layer.y;
  }
  return {
    maps: { x, shape: output },
    backward({ direct }) {
      const dx = units.reduceRight((dy, unit, index) => unit.backward(dy, inputs[index]!), direct);
      return { direct: dx };
    },
  };
}

/** "Post": ReLU(shortcut + branch). "Pre": shortcut + branch, after a BN-ReLU for both where the shortcut projects. */
function residualUnit(context: TrainingContext, unit: ResidualUnit, x: Output): GraphLayer {
  const { maps } = context;
  if (unit.activation === 'post') {
    const sum = shortcutAndBranch(context, unit, x);
    const y = maps.unary('Relu', sum.y);
    return { y, backward: (dy, x) => sum.backward(maps.reluGradient(dy, y), x) };
  }
  if (unit.shortcut !== 'projection') return shortcutAndBranch(context, unit, x);
  const norm = normReluOnce(context, unit.convolutions[0]!.norm, x, unit.input);
  const sum = shortcutAndBranch(context, unit, norm.z);
  return {
    y: sum.y,
    backward(dy) {
      const z = norm.recall(dy);
      return norm.backward(sum.backward(dy, z), z);
    },
  };
}

function shortcutAndBranch(context: TrainingContext, unit: ResidualUnit, x: Output): GraphLayer {
  const { maps } = context;
  const around = shortcut(context, unit, x);
  if (unit.survival < 1) {
    return whereThere(context, around, x, (inner, x) => branch(inner, unit, x));
  }
  const through = branch(context, unit, x);
  return {
    y: maps.binary('AddV2', around.y, through.y),
    backward: (dy, x) => maps.binary('AddV2', around.backward(dy, x), through.backward(dy, x)),
  };
}

function shortcut(context: TrainingContext, unit: ResidualUnit, x: Output): GraphLayer {
  const { maps } = context;
  const { input, output, stride, activation, projection } = unit;
  switch (unit.shortcut) {
    case 'identity':
      return { y: x, backward: (dy) => dy };
    case 'padding': {
      return {
        y: maps.padChannels(maps.subsample(x, stride), output.channels - input.channels),
        backward: (dy) => maps.subsampleGradient(input, maps.channels(dy, 0, input.channels, 4), stride),
      };
    }
    case 'projection': {
      const conv = convolution(context, projection.name, x, input, output.channels, 1, stride);
      if (activation === 'pre') return conv;
      const norm = normOnce(context, projection.norm, conv.y, output);
      return { y: norm.y, backward: (dy, x) => conv.backward(norm.backward(dy), x) };
    }
  }
}

/** F. Of a "pre" unit that projects it reads what its first BN-ReLU made. */
function branch(context: TrainingContext, unit: ResidualUnit, x: Output): GraphLayer {
  const { activation, convolutions, dropout: probability } = unit;
  const pre = activation === 'pre';
  const normalized = pre && unit.shortcut === 'projection';
  const layers: GraphLayer[] = [];
  convolutions.forEach((conv, index) => {
    const read = layers.at(-1)?.y ?? x;
    const norm = pre ? conv.norm : convolutions[index - 1]?.norm;
    const { name, input, output, kernel, stride } = conv;
    const last = index === convolutions.length - 1;
    const convolve = (z: Output) => convolution(context, name, z, input, output.channels, kernel, stride);
    if (norm === undefined || (normalized && index === 0)) layers.push(convolve(read));
    else layers.push(normReluConvolution(context, norm, input, last ? probability : 0, read, convolve));
  });
  if (!pre) {
    const { y, backward } = normOnce(context, convolutions.at(-1)!.norm, layers.at(-1)!.y, unit.output);
    layers.push({ y, backward: (dy) => backward(dy) });
  }
  return {
    y: layers.at(-1)!.y,
    backward: (dy, x) => layers.reduceRight((gradient, layer) => layer.backward(gradient, x), dy),
  };
}

/** BN-ReLU-dropout-convolution. Its input is kept: the gradient needs no other. */
function normReluConvolution(
  context: TrainingContext,
  normName: string,
  shape: MapShape,
  probability: number,
  x: Output,
  convolve: (z: Output) => GraphLayer,
): GraphLayer {
  const norm = normReluOnce(context, normName, x, shape);
  const drop = dropout(context, norm.z, shape, probability);
  const conv = convolve(drop.y);
  return {
    y: conv.y,
    backward(dy) {
      const z = norm.recall(dy);
      return norm.backward(drop.backward(conv.backward(dy, drop.recall(z))), z);
    },
  };
}
