import { z } from 'zod';
import { PRECISIONS } from '../engines/engine.js';
import { count, MOST } from './numbers.js';

const initial = z
  .number()
  .positive()
  .max(1000)
  .default(0.1)
  .describe('Learning rate of the first epoch, or the one after the warm-up; above 0.');

const warmup = z
  .strictObject({
    epochs: z.number().positive().max(MOST.epochs).describe('How long, in epochs; 0.5 is half an epoch.'),
    rate: z.number().positive().max(1000).describe('The learning rate until then, above 0.'),
  })
  .nullable()
  .default(null)
  .describe('Begin with another rate; null for none.');

const learningRateSchema = z
  .discriminatedUnion('schedule', [
    z.strictObject({
      schedule: z.literal('steps').default('steps').describe('Multiply by `factor` at each milestone.'),
      initial,
      milestones: z
        .array(z.number().gt(0).lt(1))
        .max(1000)
        .refine((list) => list.every((value, index) => index === 0 || value > list[index - 1]!), {
          message: 'must increase from each milestone to the next',
        })
        .default([0.5, 0.75])
        .describe('When the rate falls, as increasing fractions of the epochs, between 0 and 1.'),
      factor: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.1)
        .describe('What the rate is multiplied by, between 0 and 1.'),
      warmup,
    }),
    z.strictObject({
      schedule: z.literal('cosine').describe('Fall to 0 along half a cosine, step by step.'),
      initial,
      warmup,
    }),
  ])
  .describe('How the learning rate falls: `steps` or `cosine`.');

/** The `training` of a config. */
export const trainingSchema = z
  .strictObject({
    epochs: count(MOST.epochs).default(300).describe('Passes over the training images.'),
    batchSize: count(MOST.batch).default(64).describe('Images of one optimiser step.'),
    accumulate: count(MOST.batch)
      .default(1)
      .describe(
        'n: an optimiser step takes its batch in n micro-batches of batchSize/n images, one after another, and averages their gradients: the memory of one micro-batch. The result is that of the whole batch, but for batch statistics, dropout and stochastic depth, which are of each micro-batch.',
      ),
    learningRate: learningRateSchema.prefault({}),
    momentum: z
      .number()
      .min(0)
      .max(0.9999)
      .default(0.9)
      .describe('μ of stochastic gradient descent, from 0 to 0.9999.'),
    nesterov: z.boolean().default(true).describe("Nesterov's momentum."),
    weightDecay: z
      .number()
      .min(0)
      .max(1)
      .default(1e-4)
      .describe('λ, applied to every parameter, from 0 (none) to 1.'),
    seed: count(undefined, 0)
      .default(1)
      .describe('Decides initial weights, order, augmentation and dropout.'),
    shuffle: z.boolean().default(true).describe('A new order of the images in every epoch.'),
    memoryEfficient: z
      .boolean()
      .default(false)
      .describe('Recompute what is cheap instead of keeping it: less memory, more time, same result.'),
    compile: z
      .boolean()
      .default(false)
      .describe('Let XLA compile the steps, with the TensorFlow engine: other rounding, perhaps faster.'),
    precision: z
      .enum(PRECISIONS)
      .default('float32')
      .describe(
        'Numbers that the convolutions multiply: float32; tf32, on NVIDIA GPUs from Ampere on; bfloat16.',
      ),
  })
  .superRefine((training, context) => {
    const { batchSize, accumulate } = training;
    if (batchSize % accumulate !== 0) {
      const divisors = Array.from({ length: Math.min(batchSize, 1000) }, (_, i) => i + 1).filter(
        (n) => batchSize % n === 0,
      );
      context.addIssue({
        code: 'custom',
        path: ['accumulate'],
        message: `is ${accumulate}, which does not divide batchSize, ${batchSize}`,
        params: {
          remedy: `Set it to ${divisors.length > 20 ? 'a divisor, such as' : 'one of:'} ${divisors.slice(0, 20).join(', ')}.`,
        },
      });
    }
    if (training.nesterov && training.momentum === 0) {
      context.addIssue({
        code: 'custom',
        path: ['nesterov'],
        message: 'is true, but momentum is 0',
        params: { remedy: 'Set nesterov to false, or momentum to 0.9 as in the paper.' },
      });
    }
  })
  .describe("Stochastic gradient descent; the defaults are the paper's for CIFAR (section 4.2).");
