import { z } from 'zod';
import { AUGMENTATIONS, DATASET_NAMES, FOLDER } from '../datasets/dataset.js';
import { definitionOf } from '../datasets/definitions.js';
import { PRECISIONS } from '../engines/engine.js';
import { RESIZE_STYLES } from '../input/augmentation.js';
import { denseNetProblem, STEMS } from '../networks/densenet.js';
import { resNetProblem } from '../networks/resnet.js';

/** Numbers above these are typing mistakes; whether a network fits into memory is another question. */
const MOST = {
  layers: 10_000,
  channels: 1_000_000,
  images: 1_000_000_000,
  batch: 1_000_000,
  epochs: 1_000_000,
};

const count = (most = Number.MAX_SAFE_INTEGER, least = 1) => z.int().min(least).max(most);
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
  .superRefine((network, context) => {
    const problem = denseNetProblem(network);
    if (problem) {
      const { option, message, remedy } = problem;
      context.addIssue({ code: 'custom', path: [option], message, params: { remedy } });
    }
  })
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
  .superRefine((network, context) => {
    const problem = resNetProblem(network);
    if (problem) {
      const { option, message, remedy } = problem;
      context.addIssue({ code: 'custom', path: [option], message, params: { remedy } });
    }
  })
  .describe('A ResNet, which the paper compares DenseNets with.');

const networkSchema = z
  .discriminatedUnion('family', [denseNetSchema, resNetSchema])
  .describe('The architecture.');

const channels = () => z.array(z.number()).length(3);

const contentsSchema = z
  .strictObject({
    digest: z.hash('sha256').describe('SHA-256 over split, class, name and content of every image.'),
    train: count(MOST.images).describe('Training images that can be read.'),
    test: count(MOST.images).describe('Test images that can be read.'),
    mean: channels().describe("Of each channel of the training images at the network's size, 0 to 255."),
    deviation: z.array(z.number().positive()).length(3).describe('Standard deviation, likewise.'),
  })
  .describe(
    'What the folder held when the images were first read: the program writes it into a run. Leave it out.',
  );

/** Height and width of images, at most. */
const MOST_SIZE = 2048;

/** Keys of a dataset that is a folder of images. */
const folderFields = {
  path: z
    .string()
    .min(1)
    .optional()
    .describe(
      'For folder: the folder with train/<class>/ and test/<class>/ (or val/<class>/), or with a folder for each class and testFraction. As seen from this file; in --set, from the working folder.',
    ),
  size: count(MOST_SIZE)
    .optional()
    .describe("For folder: height and width of the network's input. Without it: 32; with photographs, 224."),
  photographs: z
    .boolean()
    .optional()
    .describe(
      'For folder: true resizes, crops and augments images as those of ImageNet, when they are needed. Without it: false, they are made small once and kept in memory.',
    ),
  testFraction: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'For folder: the share of each class that is the test set, where there is no folder of test images.',
    ),
  splitSeed: count(undefined, 0)
    .optional()
    .describe('For folder: decides which images testFraction takes. Without it: 1.'),
  allowDuplicates: z
    .boolean()
    .optional()
    .describe('For folder: true accepts test images that are training images too. Without it: false.'),
  classes: z
    .array(z.string().min(1))
    .max(65536)
    .optional()
    .describe(
      'For folder: the folders of the classes, by label. Without it: all, in the order of their names.',
    ),
  contents: contentsSchema.optional(),
};

const datasetSchema = z
  .strictObject({
    name: z
      .enum([...DATASET_NAMES, FOLDER])
      .describe('The images: a published dataset, or folder, for your own.'),
    ...folderFields,
    augmentation: z
      .array(z.enum(AUGMENTATIONS))
      .refine((list) => new Set(list).size === list.length, { message: 'has one of its entries twice' })
      .default([])
      .describe(
        'What is done to training images: shift (pad by 4, crop at random), mirror (half of them); both make the paper\'s "+". For photographs (imagenet, or a folder of them): sized-crop, color-jitter, lighting, mirror.',
      ),
    resize: z
      .enum(RESIZE_STYLES)
      .optional()
      .describe(
        'How photographs (imagenet, or a folder of them) are resized: paper (bicubic) or torchvision (bilinear, as its weights were measured). Without it: paper.',
      ),
    validation: count(MOST.images, 0)
      .default(0)
      .describe('Training images that are held out for validation; 0 for none.'),
  })
  .superRefine((dataset, context) => {
    const { name, augmentation, resize } = dataset;
    const { augmentations, photographs } = definitionOf(dataset);
    const [folderKey] = Object.keys(folderFields).filter((key) => Object.hasOwn(dataset, key));
    if (name !== FOLDER && folderKey !== undefined) {
      context.addIssue({
        code: 'custom',
        path: [folderKey],
        message: `is given, but ${name} is not a folder of images`,
        params: { remedy: `Leave it out, or set dataset.name to ${FOLDER}.` },
      });
    }
    if (name === FOLDER && dataset.path === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['path'],
        message: 'is missing',
        params: {
          remedy: 'dataset.path: the folder with train/<class>/ and test/<class>/, see docs/datasets.md.',
        },
      });
    }
    const [misfit] = augmentation.filter((one) => !augmentations.includes(one));
    if (misfit !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['augmentation'],
        message: `has '${misfit}', which is not for ${name}`,
        params: { remedy: `Choose from ${augmentations.join(', ')}.` },
      });
    }
    if (resize !== undefined && !photographs) {
      context.addIssue({
        code: 'custom',
        path: ['resize'],
        message: `is ${resize}, but the images of ${name} are not resized`,
        params: { remedy: 'Leave it out.' },
      });
    }
  })
  .describe('The data and how it is fed.');

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

const trainingSchema = z
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

const paperSchema = z
  .strictObject({
    table: z.int().min(1).describe("Number of the paper's table."),
    row: z.string().min(1).describe('The network, for example `DenseNet-BC (L=100, k=12)`.'),
    column: z.string().min(1).describe('The column, for example `C10+`.'),
    error: z.number().min(0).max(100).describe('Error in percent, as printed.'),
  })
  .describe(
    'The number of the paper that this experiment reproduces. It goes when network or dataset change.',
  );

const nameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/)
  .describe(
    "Names the folder of the runs: at most 100 letters, digits, '.', '_', '+' and '-'. Without it: the file's name.",
  );

const experimentFields = {
  description: z.string().optional().describe('For people: what this is and what to expect of it.'),
  network: networkSchema,
  dataset: datasetSchema,
  training: trainingSchema.prefault({}),
  report: z
    .enum(['last', 'best-validation'])
    .default('last')
    .describe(
      'Which test error is compared with the paper: of the last epoch, or of the epoch with the lowest validation error (SVHN).',
    ),
  paper: paperSchema.optional(),
};

/** An experiment with nothing left open: what a config file resolves to, and what a run folder keeps. */
export const experimentSchema = z
  .strictObject({ name: nameSchema, ...experimentFields })
  .superRefine((experiment, context) => {
    if (experiment.report === 'best-validation' && experiment.dataset.validation === 0) {
      context.addIssue({
        code: 'custom',
        path: ['report'],
        message: 'is best-validation, but no images are held out for validation',
        params: { remedy: 'Set dataset.validation to the number of images to hold out, or report to last.' },
      });
    }
  });

export type Experiment = Readonly<z.output<typeof experimentSchema>>;

/** What a config file may hold. Used for its JSON Schema; files are checked once they are merged. */
const fileSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: the path of this schema.'),
    extends: z
      .string()
      .optional()
      .describe(
        'The config that this one builds on: a path as seen from this file, or a name in configs/ such as recipes/cifar. Objects are merged, lists replaced.',
      ),
    name: nameSchema.optional(),
    ...experimentFields,
  })
  .describe('An experiment of densenet: a network, a dataset and how to train.');

/** The keys that tell the members of a union apart. */
export const DISCRIMINATORS = ['family', 'schedule'] as const;

/**
 * The JSON Schema of config files. Nothing is required in a file, as `extends` may give it; only what tells the
 * members of a union apart stays.
 */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(fileSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      const kept = jsonSchema.required?.filter((key) => DISCRIMINATORS.some((name) => name === key)) ?? [];
      if (kept.length > 0) jsonSchema.required = kept;
      else delete jsonSchema.required;
    },
  });
}

export type JsonSchema = z.core.JSONSchema.BaseSchema;
