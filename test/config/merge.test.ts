import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedKeys } from '../../src/config/identity.js';
import { merge, mergeLayers, type PlainObject } from '../../src/config/merge.js';

/** Objects such as configs are: a few levels of keys, with numbers, texts and lists at the ends. */
const objects = fc.object({
  key: fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor'),
  maxDepth: 3,
  values: [fc.integer(), fc.string(), fc.boolean(), fc.constant([1, 2]), fc.constant(null)],
}) as fc.Arbitrary<PlainObject>;

const layer = (values: PlainObject) => ({ origin: 'test', values });

describe('merge', () => {
  it('has the empty object as its neutral element', () => {
    fc.assert(
      fc.property(objects, (a) => {
        expect(merge(a, {})).toEqual(a);
        expect(merge({}, a)).toEqual(a);
      }),
    );
  });

  it('lets the upper value win at every path that it names, and changes nothing else', () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        const merged = merge(a, b);
        expect(merge(merged, b)).toEqual(merged);
        const touched = changedKeys(a, merged);
        for (const path of touched) {
          expect(valueAt(merged, path)).toEqual(valueAt(b, path));
        }
      }),
    );
  });

  it('does not change its arguments or the prototype of objects', () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        const before = structuredClone([a, b]);
        merge(a, b);
        expect([a, b]).toEqual(before);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
    const hostile = merge({}, JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(Object.getPrototypeOf(hostile)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('replaces lists', () => {
    expect(merge({ a: [1, 2, 3] }, { a: [4] })).toEqual({ a: [4] });
  });

  it('takes undefined for silence', () => {
    expect(merge({ a: 1 }, { a: undefined, b: undefined })).toEqual({ a: 1 });
  });

  it('keeps only the initial rate and the warm-up when the schedule changes', () => {
    const steps = { learningRate: { schedule: 'steps', initial: 0.2, milestones: [0.5], factor: 0.1 } };
    expect(merge(steps, { learningRate: { schedule: 'cosine' } })).toEqual({
      learningRate: { schedule: 'cosine', initial: 0.2 },
    });
    const warm = { learningRate: { warmup: { epochs: 1, rate: 0.01 }, factor: 0.5 } };
    expect(merge(warm, { learningRate: { schedule: 'cosine' } })).toEqual({
      learningRate: { schedule: 'cosine', warmup: { epochs: 1, rate: 0.01 } },
    });
    expect(merge(steps, { learningRate: { schedule: 'steps', factor: 0.5 } })).toEqual({
      learningRate: { ...steps.learningRate, factor: 0.5 },
    });
    expect(merge({ learningRate: { factor: 0.3 } }, { learningRate: { schedule: 'steps' } })).toEqual({
      learningRate: { schedule: 'steps', factor: 0.3 },
    });
  });

  it('takes nothing from a network of another family', () => {
    const dense = { network: { depth: 40, growthRate: 12, dropout: 0.2 } };
    const resnet = { network: { family: 'resnet', depth: 110 } };
    expect(merge(dense, resnet)).toEqual(resnet);
    expect(merge(resnet, { network: { family: 'resnet', survival: 0.5 } })).toEqual({
      network: { family: 'resnet', depth: 110, survival: 0.5 },
    });
    expect(merge(resnet, { network: { depth: 164 } })).toEqual({ network: { family: 'resnet', depth: 164 } });
    expect(merge(dense, { network: { family: 'densenet', depth: 100 } }).network).toMatchObject({
      dropout: 0.2,
    });
  });
});

describe('mergeLayers', () => {
  const paper = { table: 2, row: 'DenseNet (L=40, k=12)', column: 'C10', error: 7 };
  const base = layer({ network: { depth: 40 }, dataset: { name: 'cifar10' }, training: { seed: 1 }, paper });

  it.each([[{ network: { depth: 100 } }], [{ dataset: { augmentation: ['mirror'] } }]])(
    "drops the paper's number where %o changes what it is about",
    (values) => {
      expect(mergeLayers([base, layer(values)])).not.toHaveProperty('paper');
    },
  );

  it.each([[{ training: { seed: 2 } }], [{ network: { depth: 40 } }]])(
    "keeps the paper's number under %o",
    (values) => {
      expect(mergeLayers([base, layer(values)])).toHaveProperty('paper', paper);
    },
  );

  it("takes a layer's own number", () => {
    const own = { ...paper, error: 5.77 };
    expect(mergeLayers([base, layer({ network: { depth: 100 }, paper: own })])).toHaveProperty('paper', own);
  });
});

function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, key) => (Object.hasOwn(at as object, key) ? (at as PlainObject)[key] : undefined),
      value,
    );
}
