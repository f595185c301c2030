import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import type { GraphForm } from '../../../src/engines/tensorflow/graph/ops.js';
import { createTensorFlowEngine } from '../../../src/engines/tensorflow/index.js';
import type { Network } from '../../../src/networks/network.js';
import { silent } from '../../../src/util/reporter.js';
import { nearestBfloat16 } from '../../reference/bfloat16.js';
import { distance, norm, relativeError } from '../../reference/compare.js';
import { EXAMPLE, exampleNetwork } from '../../reference/examples.js';
import { ReferenceModel } from '../../reference/model.js';
import { RESIDUAL_EXAMPLE, RESIDUAL_KINDS, residualNetwork } from '../../reference/residual-examples.js';
import { noDecay } from '../conformance/cases.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from '../conformance/models.js';
import { repeatabilityTests } from '../conformance/repeatability.js';
import { quickstart, trainExperiment } from '../real-images.js';

const IMAGES = 8;

const options = { device: 'cpu', threads: 2, batchSize: IMAGES, setup: true, reporter: silent } as const;

/** Models in bfloat16, whatever is asked for. */
async function bfloat16Engine(form: GraphForm): Promise<TestedEngine> {
  const engine = await createTensorFlowEngine(options, form);
  return {
    createModel: (network, changes) => engine.createModel(network, { ...changes, precision: 'bfloat16' }),
    dispose: () => engine.dispose(),
  };
}

type Gradients = ReadonlyMap<string, ArrayLike<number>>;

const all = (gradients: Gradients) => [...gradients.values()].flatMap((data) => Array.from(data));

/** Cosine of the angle between two vectors. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return (norm(a) ** 2 + norm(b) ** 2 - distance(a, b) ** 2) / (2 * norm(a) * norm(b));
}

/** One step of the definition, with rounded operands or exact ones. */
function define(network: Network, round?: typeof nearestBfloat16) {
  const reference = new ReferenceModel(network, randomWeights(network, 1), round);
  const batch = randomBatch(network, IMAGES, 1);
  const logits = reference.predict(batch.images);
  const { loss, gradients } = reference.train(batch, 0.05, noDecay.optimizer);
  return { logits, loss, gradients };
}

describe.each<GraphForm>(['cpu', 'gpu'])('bfloat16, graph for a %s', (form) => {
  let engine: TestedEngine;
  beforeAll(async () => {
    engine = await bfloat16Engine(form);
  });
  afterAll(() => engine.dispose());

  /**
   * The definition rounds what convolutions multiply; here what they make is rounded too. Either moves features over
   * the kinks of ReLUs, so that gradients differ by several percent. The engine may be as far from the definition with
   * rounded operands as that is from the exact one, times a few; a wrong kernel or a forgotten term is further away.
   */
  test.each<[string, Network]>([
    ['BC', exampleNetwork(EXAMPLE)],
    ['basic', exampleNetwork({ ...EXAMPLE, bottleneck: false, compression: 1 })],
    ['BC, ImageNet stem', exampleNetwork({ ...EXAMPLE, stem: 'imagenet', height: 32, width: 32 })],
    ...Object.entries(RESIDUAL_KINDS).map(([kind, changes]): [string, Network] => {
      const size = changes.stem === 'imagenet' ? { height: 32, width: 32 } : {};
      return [kind, residualNetwork({ ...RESIDUAL_EXAMPLE, ...size, ...changes })];
    }),
  ])('agrees with the definition: %s', async (_, network) => {
    const [exact, rounded] = [define(network), define(network, nearestBfloat16)];
    const start = untrained(network, randomWeights(network, 1));
    const batch = randomBatch(network, IMAGES, 1);
    await withModel(engine, network, { ...DEFAULTS, ...noDecay }, start, async (model) => {
      const logits = await model.predict(batch.images);
      const { loss } = await model.train(batch, { learningRate: 0.05, step: 0 });
      const { momentum } = await model.exportState();
      const gradients: Gradients = new Map([...momentum].map(([name, { data }]) => [name, data]));
      expect(relativeError(logits, rounded.logits)).toBeLessThan(0.01);
      expect(Math.abs(loss / rounded.loss - 1)).toBeLessThan(5e-3);
      const intrinsic = relativeError(all(rounded.gradients), all(exact.gradients));
      expect(relativeError(all(gradients), all(rounded.gradients))).toBeLessThan(2.5 * intrinsic);
      const wide = [...rounded.gradients].filter(([, data]) => data.length > 1);
      const angles = wide.map(([name, data]) => cosine(gradients.get(name)!, data)).sort((a, b) => a - b);
      expect(angles[0]).toBeGreaterThan(0.5);
      expect(angles[angles.length >> 1]).toBeGreaterThan(0.9);
    });
  });

  const dropping = exampleNetwork({ ...EXAMPLE, growthRate: 5, height: 16, width: 15, dropout: 0.2 });
  describe('repeats to the bit', () => repeatabilityTests(() => engine, dropping));

  test('losses on real images are close to those of single precision', async () => {
    const run = await quickstart({ set: ['network.depth=10', 'network.growthRate=6'], subset: 1000 });
    const single = await createTensorFlowEngine(options, form);
    const [rounded, plain] = await Promise.all(
      [engine, single].map((one) => trainExperiment(one, run, 12, async () => undefined)),
    );
    await single.dispose();
    const ratios = rounded!.losses.map((loss, step) => loss / plain!.losses[step]!);
    for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
    expect(ratios.every((ratio) => ratio !== 1)).toBe(true);
    expect(rounded!.losses.at(-1)! / rounded!.losses[0]!).toBeLessThan(0.9);
  }, 300_000);
});
