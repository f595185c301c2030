import { beforeAll, describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import type { Network } from '../../../src/networks/network.js';
import { parameters } from '../../../src/networks/parameters.js';
import type { NamedTensors, Tensor } from '../../../src/util/tensor.js';
import { distance, norm } from '../../reference/compare.js';
import { type Example, exampleNetwork } from '../../reference/examples.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

const P = 0.3;
const N = 8;
const SIDE = 8;

const example: Example = {
  channels: 1,
  height: SIDE,
  width: SIDE,
  classes: 5,
  stem: 'small',
  stemChannels: 4,
  blocks: [2, 1],
  growthRate: 6,
  bottleneck: true,
  compression: 0.5,
  dropout: P,
};
const network = exampleNetwork(example);
const batch = randomBatch(network, N, 1);

/**
 * Where masks can be seen from outside: the running statistics of the next batch normalisation. In the
 * network of `observableWeights` every value before dropout is 1, so the mean is the share of values kept,
 * divided by 1 − p.
 */
const SITES = [
  { site: 'layer 1, 1×1', norm: 'features.denseblock1.denselayer1.norm2', from: 0, to: 24, side: SIDE },
  { site: 'layer 2, 1×1', norm: 'features.denseblock1.denselayer2.norm2', from: 0, to: 24, side: SIDE },
  { site: 'layer 1, 3×3', norm: 'features.transition1.norm', from: 4, to: 10, side: SIDE },
  { site: 'layer 2, 3×3', norm: 'features.transition1.norm', from: 10, to: 16, side: SIDE },
  { site: 'transition', norm: 'features.denseblock2.denselayer1.norm1', from: 0, to: 8, side: SIDE / 2 },
  {
    site: 'second block, 1×1',
    norm: 'features.denseblock2.denselayer1.norm2',
    from: 0,
    to: 24,
    side: SIDE / 2,
  },
  { site: 'second block, 3×3', norm: 'features.norm5', from: 8, to: 14, side: SIDE / 2 },
] as const;

/** γ = 0 and β = 1 make every normalised map 1; each convolution takes the mean of its inputs at the pixel. */
function observableWeights(): NamedTensors {
  return new Map(
    parameters(network).map(({ name, shape, role }): [string, Tensor] => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      if (role === 'beta' || role === 'runningVariance') data.fill(1);
      if (role === 'convolution') {
        const [, inputs, kernel] = shape as [number, number, number, number];
        const centre = (kernel * kernel - 1) / 2;
        for (let i = centre; i < data.length; i += kernel * kernel) data[i] = 1 / inputs;
      }
      return [name, { shape, data }];
    }),
  );
}

/** Share of values kept and variance of the map, of every channel at every site, after one training step. */
function observeMasks(weights: NamedTensors) {
  return SITES.map(({ site, norm: name, from, to, side }) => {
    const m = N * side * side;
    const mean = weights.get(`${name}.running_mean`)!.data.slice(from, to);
    const variance = weights.get(`${name}.running_var`)!.data.slice(from, to);
    return {
      site,
      m,
      kept: [...mean].map((running) => running * 10 * (1 - P)),
      variance: [...variance].map((running) => ((running - 0.9) * 10 * (m - 1)) / m),
    };
  });
}

export function dropoutTests(engine: () => TestedEngine): void {
  describe('by masks of the right kind', () => {
    /** What one step shows, for two seeds and two steps each. */
    const observed = new Map<string, ReturnType<typeof observeMasks>>();
    beforeAll(async () => {
      for (const seed of [1, 2]) {
        for (const step of [0, 1]) {
          const start = untrained(network, observableWeights());
          const weights = await withModel(engine(), network, { ...DEFAULTS, seed }, start, async (model) => {
            await model.train(batch, { learningRate: 0, step });
            return (await model.exportState()).weights;
          });
          observed.set(`seed ${seed}, step ${step}`, observeMasks(weights));
        }
      }
    });

    test('a share 1 − p is kept, scaled by 1/(1 − p)', () => {
      for (const { kept, m, site } of [...observed.values()].flat()) {
        const share = kept.reduce((sum, value) => sum + value / kept.length, 0);
        // The transition's masks are seen after pooling: 4 values to each.
        const values = kept.length * m * (site === 'transition' ? 4 : 1);
        expect(Math.abs(share - (1 - P)), site).toBeLessThan(5 * Math.sqrt((P * (1 - P)) / values));
      }
    });

    test('values are dropped one by one, not by channel or image', () => {
      for (const { kept, m, site } of [...observed.values()].flat()) {
        const values = m * (site === 'transition' ? 4 : 1);
        const counts = kept.map((share) => share * values);
        for (const count of counts) expect(Math.abs(count - Math.round(count)), site).toBeLessThan(0.02);
        expect(new Set(counts.map(Math.round)).size, site).toBeGreaterThan(1);
        expect(
          counts.some((count) => Math.round(count) % N !== 0),
          site,
        ).toBe(true);
        expect(Math.min(...kept), site).toBeGreaterThan(0.5);
        expect(Math.max(...kept), site).toBeLessThan(0.9);
      }
    });

    test('a value is either 0 or 1/(1 − p), in a transition before the pooling', () => {
      for (const { kept, variance, site } of [...observed.values()].flat()) {
        if (site === 'transition') {
          const expected = (P * (1 - P)) / (1 - P) ** 2 / 4;
          const mean = variance.reduce((sum, value) => sum + value / variance.length, 0);
          expect(Math.abs(mean / expected - 1)).toBeLessThan(0.3);
        } else {
          variance.forEach((value, c) => {
            expect(value, site).toBeCloseTo((kept[c]! * (1 - kept[c]!)) / (1 - P) ** 2, 4);
          });
        }
      }
    });

    test('every site, step and seed has its own', () => {
      const masks = [...observed.values()]
        .flat()
        .map(({ kept, m }) => kept.map((k) => Math.round(k * m * 4)).join());
      expect(new Set(masks).size).toBe(masks.length);
    });
  });

  describe('by seed and step alone', () => {
    const start = untrained(network, randomWeights(network, 3));
    const losses = (seed: number, steps: readonly number[]) =>
      withModel(engine(), network, { ...DEFAULTS, seed }, start, async (model) => {
        const found: number[] = [];
        for (const step of steps) found.push((await model.train(batch, { learningRate: 0, step })).loss);
        return found;
      });

    test('repeats for the same, differs for others, whatever came before', async () => {
      const [first, second, again] = await losses(1, [0, 1, 0]);
      expect(again).toBe(first);
      expect(second).not.toBe(first);
      expect(await losses(1, [1, 0])).toEqual([second, first]);
      const [other] = await losses(2, [0]);
      expect(other).not.toBe(first);
      expect(other).not.toBe(second);
    });

    test('not in prediction', async () => {
      const predict = (model: Model) => model.predict(batch.images);
      const dropping = await withModel(engine(), network, DEFAULTS, start, predict);
      const plain = exampleNetwork({ ...example, dropout: 0 });
      expect(dropping).toEqual(await withModel(engine(), plain, DEFAULTS, start, predict));
    });
  });

  test.each([false, true])('by the same masks forward and backward, memory-efficient %s', (memoryEfficient) =>
    expectSameMasksBackward(engine(), exampleNetwork({ ...example, dropout: 0.5 }), memoryEfficient),
  );
}

/** Compares every gradient with differences of the loss under the same masks. */
export async function expectSameMasksBackward(
  engine: TestedEngine,
  network: Network,
  memoryEfficient: boolean,
): Promise<void> {
  const weights = randomWeights(network, 3);
  const options = {
    ...DEFAULTS,
    memoryEfficient,
    optimizer: { momentum: 0, nesterov: false, weightDecay: 0 },
  };
  await withModel(engine, network, options, untrained(network, weights), async (model) => {
    for (const { name, role } of parameters(network)) {
      if (role !== 'convolution' && role !== 'linear') continue;
      const errors: number[] = [];
      for (let step = 0; step < STEPS; step++)
        errors.push(await slopeError(model, network, weights, name, step));
      expect(errors.sort((a, b) => a - b)[(STEPS - 1) / 2], name).toBeLessThan(0.05);
    }
  });
}

/** Half the distance of a central difference of the loss, which has some 6 digits. */
const DISTANCE = 0.003;

/** Masks to try. A difference may step over a kink, so the median counts; other masks backward make it 0.2 to 0.8. */
const STEPS = 5;

/** Relative error of one tensor's gradient, against the difference of the loss along it with the same masks. */
export async function slopeError(
  model: Model,
  of: Network,
  weights: NamedTensors,
  name: string,
  step: number,
) {
  const batch = randomBatch(of, N, 1);
  const lossAt = async (shiftedWeights: NamedTensors) => {
    await model.importState(untrained(of, shiftedWeights));
    return (await model.train(batch, { learningRate: 0, step })).loss;
  };
  await lossAt(weights);
  const gradient = (await model.exportState()).momentum.get(name)!.data;
  const slope = norm(gradient);
  const up = shifted(weights, name, gradient, DISTANCE / slope);
  const down = shifted(weights, name, gradient, -DISTANCE / slope);
  const width = distance(up.get(name)!.data, down.get(name)!.data);
  return Math.abs(((await lossAt(up)) - (await lossAt(down))) / width / slope - 1);
}

/** The weights with `scale` times the gradient added to one of them. */
function shifted(weights: NamedTensors, name: string, gradient: Float32Array, scale: number): NamedTensors {
  const { shape, data } = weights.get(name)!;
  return new Map(weights).set(name, { shape, data: data.map((w, i) => w + scale * gradient[i]!) });
}
