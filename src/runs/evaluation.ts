import { z } from 'zod';

/** evaluation.json: what `eval` found on all test images of a finished run, with the weights of the last epoch. */
export const evaluationSchema = z.object({
  epoch: z.int(),
  count: z.int(),
  /** Top-1, in percent. */
  error: z.number(),
  classNames: z.array(z.string()).readonly(),
  /** The confusion matrix without its zeros: [label, predicted, images]. */
  confusion: z.array(z.tuple([z.int(), z.int(), z.int()])).readonly(),
  /** Shares are 0 to 1. */
  calibration: z.object({
    error: z.number(),
    bins: z.array(z.object({ count: z.int(), confidence: z.number(), accuracy: z.number() })).readonly(),
  }),
  /** Images that were taken for another class, the most confident first. */
  mistakes: z
    .array(
      z.object({
        /** What people call the image. */
        name: z.string(),
        label: z.int(),
        predicted: z.int(),
        confidence: z.number(),
        /** A data URL: a page with it needs no other file. */
        picture: z.string().regex(/^data:image\/(png|jpeg);base64,/),
      }),
    )
    .readonly(),
  engine: z.string(),
  densenet: z.string(),
});
export type RunEvaluation = Readonly<z.infer<typeof evaluationSchema>>;
