import { z } from 'zod';

/** A test error in percent and the epoch it belongs to. */
const errorAtEpoch = z.object({
  error: z.number(),
  /** The top-5 error after the same epoch, where it was counted. */
  top5Error: z.number().optional(),
  epoch: z.int(),
});
export type ErrorAtEpoch = Readonly<z.infer<typeof errorAtEpoch>>;

export const RUN_STATUSES = ['running', 'finished', 'interrupted', 'diverged', 'failed'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** result.json. */
export const resultSchema = z.object({
  status: z.enum(RUN_STATUSES),
  epochs: z.int(),
  parameters: z.int(),
  /** Seconds of training and evaluation, over all sessions of the run. */
  seconds: z.number(),
  /** First N images of each split, where the run did not use all. */
  subset: z.int().optional(),
  /** The images that could not be read and were left out, as far as this session met them. */
  skippedImages: z.array(z.string()).readonly().optional(),
  engine: z.string(),
  seed: z.int(),
  /** The test error after the last epoch: the paper's number, but for SVHN. */
  last: errorAtEpoch.optional(),
  /** The lowest test error of any epoch. Chosen by looking at the test set, so not comparable with the paper's. */
  best: errorAtEpoch.optional(),
  /** The test error of the epoch with the lowest validation error: the paper's number for SVHN. */
  bestValidation: errorAtEpoch.optional(),
  /** Which of these is compared with the paper, and the paper's number. */
  reported: errorAtEpoch.extend({ rule: z.enum(['last', 'best-validation']) }).optional(),
  paperError: z.number().optional(),
  /** The process that trains it, while it is running. */
  process: z.object({ host: z.string(), pid: z.int(), start: z.number().optional() }).optional(),
  /** Why the run stopped, if it did not finish. */
  message: z.string().optional(),
});
export type RunResult = Readonly<z.infer<typeof resultSchema>>;

/** ten-crop.json: what `eval --ten-crop` found on the test images, with the weights of the last epoch. */
export const tenCropSchema = errorAtEpoch.extend({
  count: z.int(),
  loss: z.number(),
  engine: z.string(),
  densenet: z.string(),
});
export type TenCropResult = Readonly<z.infer<typeof tenCropSchema>>;
