import type { Experiment } from '../config/schema.js';
import { checkHoldOut, dataFolder, definitionOf, statusOf } from '../datasets/index.js';
import { activationBytes, multiplyAdds, parameterCount } from '../networks/counts.js';
import type { FeatureShape, Network } from '../networks/network.js';
import { microBatchSize } from './model.js';

/** What a training run would do. */
export interface Plan {
  readonly parameters: number;
  /** Of one image, forward. */
  readonly multiplyAdds: number;
  /** Of one batch, or one micro-batch where a step has several; single precision. */
  readonly activationBytes: number;
  readonly images: { readonly train: number; readonly validation: number; readonly test: number };
  readonly stepsPerEpoch: number;
  readonly steps: number;
  /** Floating-point operations of all training steps: 2 per multiply-add, forward and twice that backward. */
  readonly trainingFlops: number;
  readonly dataset: {
    readonly present: boolean;
    /** Of the images that training keeps in memory, in bytes. */
    readonly memoryBytes: number;
    readonly folder: string;
    readonly downloadBytes: number;
    readonly brought: boolean;
  };
}

/** Works out what training would do, without fetching or computing anything. */
export async function planRun(
  experiment: Experiment,
  network: Network,
  options: { readonly data?: string; readonly subset?: number },
): Promise<Plan> {
  const { batchSize, epochs } = experiment.training;
  const { validation } = experiment.dataset;
  const published = definitionOf(experiment.dataset);
  const { title, sources, origin } = published;
  const folder = dataFolder(options.data);
  const status = await statusOf(experiment.dataset, folder);
  const { train: trainCount, test: testCount } = status.counts ?? {
    train: published.trainCount,
    test: published.testCount,
  };
  checkHoldOut(title, trainCount, validation);
  const used = (count: number) => Math.min(count, options.subset ?? count);
  const images = {
    train: used(trainCount - validation),
    validation: used(validation),
    test: used(testCount),
  };
  const stepsPerEpoch = Math.ceil(images.train / batchSize);
  const multiplyAddCount = multiplyAdds(network);
  return {
    parameters: parameterCount(network),
    multiplyAdds: multiplyAddCount,
    activationBytes: activationBytes(network, microBatchSize(experiment)),
    images,
    stepsPerEpoch,
    steps: stepsPerEpoch * epochs,
    trainingFlops: 2 * 3 * multiplyAddCount * images.train * epochs,
    dataset: {
      present: status.present,
      memoryBytes: published.photographs
        ? 0
        : Object.values(images).reduce((a, b) => a + b) * values(network.input),
      folder: experiment.dataset.path ?? folder,
      downloadBytes: status.present ? 0 : sources.reduce((sum, source) => sum + source.bytes, 0),
      brought: origin === 'brought',
    },
  };
}

/** Numbers of one image. */
function values({ channels, height, width }: FeatureShape): number {
  return channels * height * width;
}
