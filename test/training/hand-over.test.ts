import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { Model } from '../../src/engines/engine.js';
import { createNativeEngine } from '../../src/engines/native/index.js';
import type { Split } from '../../src/input/batches.js';
import { MemorySource } from '../../src/input/memory-source.js';
import { ALONE } from '../../src/mpi/group.js';
import { initialValues } from '../../src/networks/parameters.js';
import { initialState, NO_PROGRESS } from '../../src/training/checkpoint.js';
import { networkOf } from '../../src/training/model.js';
import { train } from '../../src/training/session.js';
import { silent } from '../../src/util/reporter.js';
import { DEFAULTS } from '../engines/conformance/models.js';

/** Lets a model go on with a batch only once the next one is handed over, but for the last of a split. */
class Waiting {
  readonly handed: Float32Array[] = [];
  readonly given: Float32Array[] = [];
  #heard = () => {};

  handOver(images: Float32Array): void {
    this.handed.push(images);
    this.#heard();
  }

  async give(images: Float32Array, last: boolean): Promise<void> {
    this.given.push(images);
    const next = this.handed.at(-1);
    if (!last && (!next || this.given.includes(next))) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }
}

function split(count: number): Split {
  const [channels, height, width] = [1, 28, 28];
  const images = Uint8Array.from({ length: count * channels * height * width }, (_, i) => i % 251);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const set = { count, channels, height, width, images, labels };
  const source = new MemorySource(set, { mean: [128], deviation: [64] });
  return { source, indices: Uint32Array.from({ length: count }, (_, i) => i) };
}

test('while a step runs the next batch is handed over, in training and in evaluation', async () => {
  const experiment = await loadExperiment('smoke-fashion-mnist-mini', {
    set: ['network.depth=10', 'training.batchSize=8', 'training.epochs=1'],
  });
  const network = networkOf(experiment);
  const engine = await createNativeEngine({ device: 'cpu', threads: 1, setup: true, reporter: silent });
  const model = await engine.createModel(network, DEFAULTS);
  const waiting = new Waiting();
  const watched: Model = {
    contributionSize: model.contributionSize,
    contribute: model.contribute.bind(model),
    apply: model.apply.bind(model),
    importState: model.importState.bind(model),
    exportState: model.exportState.bind(model),
    dispose: model.dispose.bind(model),
    handOver: (images) => waiting.handOver(images),
    async train(batch, step) {
      await waiting.give(batch.images, step.step === 3);
      return model.train(batch, step);
    },
    async predict(images) {
      await waiting.give(images, images.length < 8 * 28 * 28);
      return model.predict(images);
    },
  };
  const result = await train({
    experiment,
    network,
    splits: { train: split(27), test: split(21) },
    model: watched,
    engine: { description: 'native' },
    folder: undefined,
    skippedImages: () => [],
    start: { state: initialState(network, initialValues(network, 1)), progress: NO_PROGRESS },
    resumed: false,
    origin: { engine: { name: 'native', device: 'cpu', description: 'native', precision: 'float32' } },
    reporter: silent,
    signal: new AbortController().signal,
    group: ALONE,
  });
  expect(result.status).toBe('finished');
  // Of four batches in training and three in evaluation, all but the first.
  expect(waiting.handed).toEqual([...waiting.given.slice(1, 4), ...waiting.given.slice(5)]);
  expect(waiting.given).toHaveLength(7);
  await engine.dispose();
});
