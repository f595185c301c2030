import type { GraphBuilder, Output } from './builder.js';
import type { FeatureMaps, MapGradient } from './features.js';
import type { GraphForm, Ops } from './ops.js';

/** What the parts of the training graph share while it is written. */
export interface TrainingContext {
  readonly graph: GraphBuilder;
  readonly form: GraphForm;
  /** Images that usually go through the network at once: kernels are chosen by it. */
  readonly images: number;
  /** For statistics, parameters, logits and loss, which are float32. */
  readonly ops: Ops;
  /** For feature maps and filters, in the model's precision. */
  readonly maps: Ops;
  /** The trainable parameters in float32, by name. */
  readonly weights: ReadonlyMap<string, Output>;
  /** The filters of convolutions in the type of `maps`, by name. */
  readonly filters: ReadonlyMap<string, Output>;
  /** Gradients of the trainable parameters in float32, by name; filled by the backward pass. */
  readonly gradients: Map<string, Output>;
  /**
   * The batch's means and unbiased variances, by the name of the running statistic they go into; of a branch that is
   * not there, the latter itself.
   */
  readonly batchStatistics: Map<string, Output>;
  /** The running statistics before the step, by name. */
  readonly running: ReadonlyMap<string, Output>;
  /** Whether the next residual unit with stochastic depth has its branch in this step, a boolean scalar. */
  readonly nextBranch: () => Output;
  /** Key of the next dropout mask, an int32 vector [2]. */
  readonly nextDropoutKey: () => Output;
  /** Compute normalised maps again in the backward pass instead of keeping them. */
  readonly memoryEfficient: boolean;
}

/** A stage written forwards; `backward` writes the rest, from the gradient of its maps to that of its input. */
export interface TrainingStage {
  readonly maps: FeatureMaps;
  backward(gradient: MapGradient): MapGradient;
}

export function filter(context: { filters: ReadonlyMap<string, Output> }, name: string): Output {
  return weight({ weights: context.filters }, name);
}

export function weight(context: { weights: ReadonlyMap<string, Output> }, name: string): Output {
  const found = context.weights.get(name);
  if (found === undefined) throw new Error(`the network has no parameter ${name}`);
  return found;
}
