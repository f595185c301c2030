import { z } from 'zod';
import { AUGMENTATIONS, DATASET_NAMES, FOLDER } from '../datasets/dataset.js';
import { definitionOf } from '../datasets/definitions.js';
import { RESIZE_STYLES } from '../input/augmentation.js';
import { count, MOST } from './numbers.js';

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

/** The `dataset` of a config. */
export const datasetSchema = z
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
