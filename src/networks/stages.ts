import { stageNames } from './names.js';
import { type FeatureShape, type Network, outputShape, type Stage } from './network.js';

/** A stage in its place in a network. */
export interface PlacedStage {
  readonly stage: Stage;
  /** Its tensors' names begin with it; see `stageNames`. */
  readonly name: string;
  /** The shape it reads and the shape it makes. */
  readonly input: FeatureShape;
  readonly output: FeatureShape;
}

/** Every stage with its name and its shapes, in order. */
export function stageShapes(network: Network): PlacedStage[] {
  const names = stageNames(network);
  let input: FeatureShape = network.input;
  return network.stages.map((stage, index) => {
    const output = outputShape(stage, input, network.classes);
    const placed = { stage, name: names[index]!, input, output };
    input = output;
    return placed;
  });
}
