import { expect, test } from 'vitest';
import {
  type Batch,
  type Model,
  microBatches,
  type TrainResult,
  type TrainStep,
} from '../../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { parameters } from '../../../src/networks/parameters.js';
import { EXAMPLE, exampleNetwork } from '../../reference/examples.js';
import {
  RESIDUAL_EXAMPLE,
  RESIDUAL_KINDS,
  type ResidualExample,
  residualNetwork,
} from '../../reference/residual-examples.js';
import { arrayFaults } from './faults.js';
import { bitsOf, DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

const plain = exampleNetwork(EXAMPLE);
const dropping = exampleNetwork({ ...EXAMPLE, dropout: 0.2 });

const residual = (changes: Partial<ResidualExample>) => residualNetwork({ ...RESIDUAL_EXAMPLE, ...changes });

/** The batch n times over. */
function repeated({ images, labels }: Batch, n: number): Batch {
  const batch = { images: new Float32Array(n * images.length), labels: new Int32Array(n * labels.length) };
  for (let i = 0; i < n; i++) {
    batch.images.set(images, i * images.length);
    batch.labels.set(labels, i * labels.length);
  }
  return batch;
}

/** A step whose micro-batches are computed by several models in turn, which all have the same state. */
async function trainApart(models: readonly Model[], batch: Batch, step: TrainStep): Promise<TrainResult> {
  const { gradient, statistics } = models[0]!.contributionSize;
  const cut = microBatches(batch.labels.length, step);
  const sum = new Float32Array(gradient);
  const all = new Float64Array(cut.length * statistics);
  const total = { loss: 0, correct: 0 };
  for (const [index, part] of cut.entries()) {
    const own = new Float32Array(gradient);
    const { loss, correct } = await models[index % models.length]!.contribute(
      batch,
      { ...part, stepImages: batch.labels.length },
      { gradient: own, statistics: all.subarray(index * statistics, (index + 1) * statistics) },
    );
    total.loss += loss;
    total.correct += correct;
    own.forEach((value, i) => {
      sum[i] = index === 0 ? value : sum[i]! + value;
    });
  }
  const draws = cut.map(({ draw }) => draw);
  for (const model of models)
    await model.apply({ gradient: sum, statistics: all }, { learningRate: step.learningRate, draws });
  return total;
}

/** Gradient accumulation; its results are compared with the definition's in definition.ts. */
export function accumulationTests(engine: () => TestedEngine): void {
  const start = (network = plain) => untrained(network, randomWeights(network, 3));
  const run = <Result>(use: (model: Model) => Promise<Result>, network = plain, from = start(network)) =>
    withModel(engine(), network, DEFAULTS, from, use);

  test('is the step of the whole batch where batch statistics are the same', async () => {
    // Three times the same images: every third has the mean and the variance of the whole.
    const batch = repeated(randomBatch(plain, 4, 1), 3);
    const step = (accumulate: number) =>
      run(async (model) => {
        const result = await model.train(batch, { learningRate: 0.1, step: 0, accumulate });
        return { result, state: await model.exportState() };
      });
    const [whole, parts] = [await step(1), await step(3)];
    expect(parts.result.loss).toBeCloseTo(whole.result.loss, 5);
    expect(parts.result.correct).toBe(whole.result.correct);
    const faults = [...whole.state.momentum].flatMap(([name, { data }]) =>
      arrayFaults(name, parts.state.momentum.get(name)!.data, Float64Array.from(data), 1e-4),
    );
    expect(faults).toEqual([]);
  });

  test('moves the running statistics once a micro-batch', async () => {
    const batch = randomBatch(plain, 4, 1);
    const running = (images: Batch, steps: number, accumulate: number) =>
      run(async (model) => {
        for (let step = 0; step < steps; step++)
          await model.train(images, { learningRate: 0, step, accumulate });
        const { weights } = await model.exportState();
        const names = parameters(plain).filter(({ role }) => role.startsWith('running'));
        return new Map(names.map(({ name }) => [name, weights.get(name)!.data]));
      });
    const apart = await running(batch, 3, 1);
    const together = await running(repeated(batch, 3), 1, 3);
    expect(together).toEqual(apart);
    expect(await running(batch, 1, 1)).not.toEqual(apart);
  });

  test('n = 1 is an ordinary step, to the bit', async () => {
    const step = (accumulate: number | undefined) =>
      run(async (model) => {
        const result = await model.train(randomBatch(dropping, 5, 1), {
          learningRate: 0.1,
          step: 2,
          accumulate,
        });
        return { result, bits: bitsOf(await model.exportState()) };
      }, dropping);
    expect(await step(1)).toEqual(await step(undefined));
  });

  test('every micro-batch has dropout masks of its own, which its number in the run decides', async () => {
    const batch = randomBatch(dropping, 4, 1);
    await run(async (model) => {
      const loss = async (images: Batch, step: number, accumulate: number) =>
        (await model.train(images, { learningRate: 0, step, accumulate })).loss;
      const alone: number[] = [];
      for (let step = 0; step < 6; step++) alone.push(await loss(batch, step, 1));
      expect(new Set(alone).size).toBe(6);
      const mean = (first: number) => (alone[first]! + alone[first + 1]! + alone[first + 2]!) / 3;
      const whole = repeated(batch, 3);
      expect(await loss(whole, 0, 3)).toBeCloseTo(mean(0), 5);
      expect(await loss(whole, 1, 3)).toBeCloseTo(mean(3), 5);
    }, dropping);
  });

  test.each([
    ['with dropout', dropping],
    ['with stochastic depth, post', residual({ survival: 0.5, activation: 'post' })],
    ['with stochastic depth, pre', residual({ survival: 0.5, ...RESIDUAL_KINDS['pre, bottleneck'] })],
  ])('is the same to the bit where micro-batches are computed apart, %s', async (_, network) => {
    const models = await Promise.all([0, 1, 2].map(() => engine().createModel(network, DEFAULTS)));
    const [whole, ...parts] = models as [Model, ...Model[]];
    for (const model of models) await model.importState(start(network));
    for (const [step, size] of [6, 7, 3, 6].entries()) {
      const batch = randomBatch(network, size, step);
      const at = { learningRate: 0.1, step, accumulate: 4 };
      expect(await trainApart(parts, batch, at)).toEqual(await whole.train(batch, at));
      const expected = bitsOf(await whole.exportState());
      for (const model of parts) expect(bitsOf(await model.exportState())).toEqual(expected);
    }
    for (const model of models) await model.dispose();
  });

  test('repeats to the bit, also after export and import, and after steps of other kinds', async () => {
    const batches = [6, 6, 5, 6, 6, 2].map((size, step) => randomBatch(dropping, size, step));
    const train = async (model: Model, first: number, end: number) => {
      const results: TrainResult[] = [];
      for (let step = first; step < end; step++) {
        results.push(await model.train(batches[step]!, { learningRate: 0.1, step, accumulate: 3 }));
      }
      return { results, state: await model.exportState() };
    };
    const whole = await run((model) => train(model, 0, 6), dropping);
    const half = await run((model) => train(model, 0, 3), dropping);
    const rest = await run(
      async (model) => {
        await model.train(batches[0]!, { learningRate: 0.3, step: 9 });
        await model.train(batches[0]!, { learningRate: 0.3, step: 9, accumulate: 2 });
        await model.importState(half.state);
        return train(model, 3, 6);
      },
      dropping,
      half.state,
    );
    expect([...half.results, ...rest.results]).toEqual(whole.results);
    expect(bitsOf(rest.state)).toEqual(bitsOf(whole.state));
  });
}
