import { afterAll, beforeAll, describe } from 'vitest';
import { exampleNetwork } from '../reference/examples.js';
import { accumulationTests } from './conformance/accumulation.js';
import { definitionTests } from './conformance/definition.js';
import { dropoutTests } from './conformance/dropout.js';
import { largeBatchTests } from './conformance/large-batches.js';
import type { TestedEngine } from './conformance/models.js';
import { publishedTests } from './conformance/published.js';
import { pytorchTests } from './conformance/pytorch.js';
import { repeatabilityTests } from './conformance/repeatability.js';
import { residualTests } from './conformance/residual.js';
import { responsivenessTests } from './conformance/responsiveness.js';
import { stateTests } from './conformance/state.js';

const dropping = exampleNetwork({
  ...{ channels: 3, height: 16, width: 16, classes: 10, stem: 'small', stemChannels: 10 },
  ...{ blocks: [2, 2, 2], growthRate: 5, bottleneck: true, compression: 0.5, dropout: 0.2 },
});

/** More than most tests have. */
const USUAL_IMAGES = 8;

export interface ConformanceOptions {
  /** Random networks to try against the definition; fewer for an engine that is slow to make models. */
  readonly runs?: number;
  /** Of the statistics of a large batch. */
  readonly statisticsTolerance?: number;
}

/**
 * What every engine must pass, in single precision: `engineConformance('native', createNativeEngine…)`. Engines are
 * made for a number of images at once, by which they may choose their kernels.
 */
export function engineConformance(
  name: string,
  createEngine: (images: number) => Promise<TestedEngine>,
  { runs = 40, statisticsTolerance = 5e-6 }: ConformanceOptions = {},
): void {
  describe(`engine ${name}`, () => {
    let engine: TestedEngine;
    beforeAll(async () => {
      engine = await createEngine(USUAL_IMAGES);
    });
    afterAll(() => engine.dispose());

    const current = () => engine;
    describe('agrees with the definition', () => definitionTests(current, runs));
    describe('is as exact in large batches', () => largeBatchTests(createEngine, statisticsTolerance));
    describe('agrees with PyTorch', () => {
      pytorchTests(current);
      publishedTests(current);
    });
    describe('keeps its state', () => stateTests(current));
    describe('repeats to the bit', () => repeatabilityTests(current, dropping));
    describe('accumulates gradients', () => accumulationTests(current));
    describe('drops values', () => dropoutTests(current));
    describe('residual networks', () => residualTests(current, runs));
    describe('leaves the main thread free', () => responsivenessTests(current));
  });
}
