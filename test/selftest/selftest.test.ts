import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, Model } from '../../src/engines/engine.js';
import { createNativeEngine } from '../../src/engines/native/index.js';
import { SELFTEST_CASES } from '../../src/selftest/cases.js';
import { thatFit } from '../../src/selftest/largest.js';
import { selftest } from '../../src/selftest/selftest.js';
import { silent } from '../../src/util/reporter.js';

/** Enough for the smallest networks only. */
const FREE = 400e6;

let engine: Engine;
beforeAll(async () => {
  engine = await createNativeEngine({ device: 'cpu', setup: true, reporter: silent });
}, 600_000);
afterAll(() => engine.dispose());

/** The engine with models of which some is changed. */
function broken(change: (model: Model) => Partial<Model>): Engine {
  const createModel: Engine['createModel'] = async (network, options) => {
    const model = await engine.createModel(network, options);
    const changed = change(model);
    return new Proxy(model, {
      get(_, name) {
        const value = Reflect.get(name in changed ? changed : model, name);
        return typeof value === 'function' ? value.bind(model) : value;
      },
    });
  };
  const { name, device, description, precision } = engine;
  return { name, device, description, precision, createModel, dispose: async () => {} };
}

async function wrong(of: Engine): Promise<string[]> {
  const checks = await selftest(of, { freeMemory: FREE, reporter: silent });
  return checks.filter(({ passed }) => !passed).map(({ what }) => what);
}

describe('the selftest', { timeout: 600_000 }, () => {
  test('passes where the engine is right, with every kind of layer compared', async () => {
    const checks = await selftest(engine, { freeMemory: FREE, reporter: silent });
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
    for (const { deviation, allowed } of checks.filter(({ what }) => what.startsWith('gradients'))) {
      expect(deviation).toBeGreaterThan(0);
      expect(deviation).toBeLessThan(allowed / 10);
    }
  });

  test('notices logits that are off by a thousandth', async () => {
    const predict = async (model: Model, images: Float32Array) =>
      (await model.predict(images)).map((value, index) => value * (index % 2 === 0 ? 1.001 : 1));
    const found = await wrong(broken((model) => ({ predict: (images) => predict(model, images) })));
    expect(found).toHaveLength(SELFTEST_CASES.length);
    expect(found[0]).toMatch(/logits$/);
  });

  test('notices another learning rate, by what training comes to', async () => {
    const train: (model: Model) => Model['train'] = (model) => (batch, step) =>
      model.train(batch, { ...step, learningRate: 0.99 * step.learningRate });
    const found = await wrong(broken((model) => ({ train: train(model) })));
    expect(found).toContain('DenseNet-BC (L=16, k=12): losses of 20 steps');
    expect(found.some((what) => what.startsWith('gradients'))).toBe(false);
  });

  test('notices one gradient that is wrong, and of what kind of layer', async () => {
    const exportState = async (model: Model) => {
      const { weights, momentum } = await model.exportState();
      const name = [...momentum.keys()].find((key) => key.endsWith('transition1.conv.weight'));
      if (name !== undefined) momentum.get(name)!.data[0]! += 0.01;
      return { weights, momentum };
    };
    const found = await wrong(broken((model) => ({ exportState: () => exportState(model) })));
    expect(found).toEqual(['gradients: transitions', 'a resumed run: values whose bits differ']);
  });

  test('notices results that differ from run to run, and that are no numbers', async () => {
    let calls = 0;
    const importState: (model: Model) => Model['importState'] =
      (model) =>
      ({ weights, momentum }) => {
        const drifting = new Map(weights);
        const [name, { shape, data }] = [...weights][0]!;
        drifting.set(name, { shape, data: data.map((value) => value * (1 + 1e-7 * calls)) });
        calls += 1;
        return model.importState({ weights: drifting, momentum });
      };
    const found = await wrong(broken((model) => ({ importState: importState(model) })));
    expect(found).toContain('two runs: values whose bits differ');
    expect(found).toContain('a resumed run: values whose bits differ');

    const nothing = await wrong(broken(() => ({ train: async () => ({ loss: Number.NaN, correct: 0 }) })));
    expect(nothing.some((what) => what.startsWith('one step of'))).toBe(true);
  });

  test('notices masks of dropout that are not those of the step', async () => {
    let calls = 0;
    const found = await wrong(
      broken((model) => ({ train: (batch, step) => model.train(batch, { ...step, step: calls++ }) })),
    );
    expect(found).toContain('dropout: gradient beside the slope of the loss');
  });

  test('goes on where an engine throws, and says what it threw', async () => {
    const predict = async () => {
      throw new Error('out of memory');
    };
    const checks = await selftest(
      broken(() => ({ predict })),
      { freeMemory: FREE, reporter: silent },
    );
    const thrown = checks.filter(({ note }) => note === 'out of memory');
    expect(thrown.map(({ what }) => what)).toEqual(SELFTEST_CASES.map(({ network }) => network.title));
    expect(thrown.some(({ passed }) => passed)).toBe(false);
    expect(checks.filter(({ passed }) => passed).map(({ what }) => what)).toContain(
      'two runs: values whose bits differ',
    );
  });

  test('takes a larger network where there is more memory', () => {
    const sizes = [2e9, 8e9, 24e9, 80e9].map((memory) => thatFit('gpu', memory)[0]!.memory);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(new Set(sizes).size).toBe(sizes.length);
    expect(sizes.at(-1)).toBeGreaterThan(40e9);
    expect(thatFit('cpu', 1e6)).toEqual([]);
  });
});
