import { z } from 'zod';
import { denseNetProblem, STEMS } from '../networks/densenet.js';
import { resNetProblem } from '../networks/resnet.js';
import { count, MOST } from './numbers.js';

/** A share of values that are dropped: with more, too little is left to learn from. */
const dropout = () => z.number().min(0).max(0.95);

/** Blocks that an image of the largest size could pass: each halves it. */
const MOST_BLOCKS = 20;

const denseNetSchema = z
  .strictObject({
    family: z.literal('densenet').default('densenet').describe('The kind of network: densenet or resnet.'),
    depth: count(MOST.layers).describe(
      'L: layers, counting convolutions and the fully connected layer. 3N+4 without bottleneck, 6N+4 with.',
    ),
    growthRate: count(MOST.channels).describe('k: channels that each layer of a dense block appends.'),
    bottleneck: z
      .boolean()
      .default(false)
      .describe('-B: a 1×1 convolution to 4k channels before each 3×3 convolution.'),
    compression: z
      .number()
      .gt(0)
      .lte(1)
      .default(1)
      .describe('θ: the share of channels that a transition keeps, above 0 and at most 1. Below 1 it is -C.'),
    initialChannels: count(MOST.channels)
      .optional()
      .describe(
        'Output channels of the first convolution. Without it: 2k for -BC and with the ImageNet stem, otherwise 16.',
      ),
    dropout: dropout()
      .default(0)
      .describe(
        'Probability that a value is dropped after a convolution, all but the first, from 0 to 0.95. The paper: 0.2 without augmentation, 0 with.',
      ),
    blocks: z
      .array(count(MOST.layers))
      .min(1)
      .max(MOST_BLOCKS)
      .optional()
      .describe('Layers of each dense block. Without it: three equal blocks, after the CIFAR stem.'),
    stem: z
      .enum(STEMS)
      .optional()
      .describe(
        'What stands before the dense blocks: cifar, a 3×3 convolution; imagenet, a 7×7 convolution and max pooling, each of stride 2. Without it: imagenet with blocks, otherwise cifar.',
      ),
  })
  .superRefine((network, context) => report(denseNetProblem(network), context))
  .describe('A DenseNet (section 3).');

const resNetSchema = z
  .strictObject({
    family: z.literal('resnet').describe('The kind of network: densenet or resnet.'),
    depth: count(MOST.layers).describe(
      'L: layers. 6n+2 without bottleneck, 9n+2 with; 6n+4 of a Wide ResNet (width above 1).',
    ),
    activation: z
      .enum(['pre', 'post'])
      .default('post')
      .describe(
        'Where BN and ReLU stand in a unit: post, after each convolution, as first published; pre, before.',
      ),
    bottleneck: z
      .boolean()
      .default(false)
      .describe('Units of 1×1, 3×3 and 1×1 convolutions instead of two 3×3.'),
    width: count(MOST.channels)
      .default(1)
      .describe('k: channels of every stage, in units of 16, 32 and 64; above 1 it is a Wide ResNet.'),
    dropout: dropout()
      .default(0)
      .describe('Probability that a value is dropped before the last convolution of a unit, from 0 to 0.95.'),
    survival: z
      .number()
      .gt(0)
      .lte(1)
      .default(1)
      .describe(
        'p_L of stochastic depth: the probability that the last unit is there in training, above 0 and at most 1; those before it are there more often. 1: all, always.',
      ),
    blocks: z
      .array(count(MOST.layers))
      .min(1)
      .max(MOST_BLOCKS)
      .optional()
      .describe(
        'Residual units of each stage, for a network with the ImageNet stem. Without it: three equal stages after a 3×3 convolution.',
      ),
  })
  .superRefine((network, context) => report(resNetProblem(network), context))
  .describe('A ResNet, which the paper compares DenseNets with.');

/** The `network` of a config. */
export const networkSchema = z
  .discriminatedUnion('family', [denseNetSchema, resNetSchema])
  .describe('The architecture.');

/** Says at its option what makes a network impossible. */
function report(
  problem: ReturnType<typeof denseNetProblem | typeof resNetProblem>,
  context: z.RefinementCtx,
): void {
  if (!problem) return;
  const { option, message, remedy } = problem;
  context.addIssue({ code: 'custom', path: [option], message, params: { remedy } });
}
