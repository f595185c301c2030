import { z } from 'zod';
import { datasetSchema } from './dataset-schema.js';
import { networkSchema } from './network-schema.js';
import { trainingSchema } from './training-schema.js';

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

/** The `name` of a config. */
export const nameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/)
  .describe(
    "Names the folder of the runs: at most 100 letters, digits, '.', '_', '+' and '-'. Without it: the file's name.",
  );

/** What an experiment says beside its name. */
export const experimentFields = {
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
