import { z } from 'zod';
import { epochRowSchema } from './epochs.js';
import { RUN_STATUSES, resultSchema } from './result.js';

/** What every line of log.jsonl has. */
const line = z.object({
  time: z.iso.datetime(),
  /** The process that wrote it, as `pid.start@host`: one for each time that the run was started or resumed. */
  session: z.string(),
});

/** How far the run had come: epochs finished, and steps done of the one under way. */
const position = { epochs: z.int(), steps: z.int() };

const begun = {
  run: z.string(),
  densenet: z.string(),
  engine: z.string(),
  /** Of the whole run. */
  totalEpochs: z.int(),
  stepsPerEpoch: z.int(),
  trainImages: z.int(),
};

/** A line of log.jsonl. Losses are mean cross-entropies, errors percentages; epochs and steps count from 1. */
export const runEventSchema = z.discriminatedUnion('event', [
  line.extend({ event: z.literal('start'), ...begun }),
  /** The run is resumed from its last checkpoint, which is at this position. */
  line.extend({ event: z.literal('resume'), ...begun, ...position }),
  /** Every N steps with `--log-every N`: loss of the step's batch. `globalStep` counts over all epochs. */
  line.extend({
    event: z.literal('step'),
    epoch: z.int(),
    step: z.int(),
    globalStep: z.int(),
    loss: z.number(),
    learningRate: z.number(),
  }),
  /** Now and then: `done` of `total` steps of the epoch's training, or images of its evaluation. */
  line.extend({
    event: z.literal('progress'),
    epoch: z.int(),
    part: z.enum(['train', 'validation', 'test']),
    done: z.int(),
    total: z.int(),
    /** Of the epoch's training so far. */
    loss: z.number().optional(),
    error: z.number().optional(),
    imagesPerSecond: z.number().optional(),
  }),
  /** The columns of epochs.csv. */
  line.extend({ event: z.literal('epoch'), ...epochRowSchema.shape }),
  line.extend({ event: z.literal('checkpoint'), ...position, seconds: z.number() }),
  line.extend({ event: z.literal('warning'), message: z.string() }),
  line.extend({
    event: z.literal('end'),
    ...position,
    status: z.enum(RUN_STATUSES).exclude(['running']),
    /** Of all sessions. */
    seconds: z.number(),
    /** The test error that the config reports. */
    reported: resultSchema.shape.reported,
    message: z.string().optional(),
  }),
]);
export type RunEvent = Readonly<z.infer<typeof runEventSchema>>;

/** An event as training tells it; the log adds who and when. */
export type NewEvent = RunEvent extends infer E
  ? E extends RunEvent
    ? Omit<E, keyof z.infer<typeof line>>
    : never
  : never;

/**
 * The events in the lines of log.jsonl. What is not one is left out: a part of a line that a killed process left, or
 * what a later version tells.
 */
export function parseEvents(text: string): RunEvent[] {
  return text.split('\n').flatMap((content) => {
    try {
      return [runEventSchema.parse(JSON.parse(content))];
    } catch {
      return [];
    }
  });
}

/**
 * The events that count. A resumed run starts from a checkpoint: what it had done after it is done again, and
 * the first account of it is void. So is what a session tells that another one has taken the run over from.
 */
export function validEvents(events: readonly RunEvent[]): RunEvent[] {
  let valid: RunEvent[] = [];
  let session: string | undefined;
  for (const event of events) {
    if (event.event === 'start' || event.event === 'resume') session = event.session;
    else if (session !== undefined && event.session !== session) continue;
    if (event.event === 'resume') valid = valid.filter((earlier) => !isBeyond(earlier, event));
    valid.push(event);
  }
  return valid;
}

/** Whether an event tells of something that a run has not done yet at a position. */
function isBeyond(event: RunEvent, { epochs, steps }: { epochs: number; steps: number }): boolean {
  switch (event.event) {
    case 'step':
      return event.epoch > epochs + 1 || (event.epoch === epochs + 1 && event.step > steps);
    case 'progress':
      return (
        event.epoch > epochs + 1 ||
        (event.epoch === epochs + 1 && (event.part !== 'train' || event.done > steps))
      );
    case 'epoch':
      return event.epoch > epochs;
    case 'checkpoint':
      return event.epochs > epochs || (event.epochs === epochs && event.steps > steps);
    default:
      return false;
  }
}
