import { isPlainObject } from '../../config/merge.js';
import type { Experiment } from '../../config/schema.js';
import type { RunEvent } from '../../runs/events.js';
import {
  fileVersion,
  type HyperParameter,
  hparamsEnd,
  hparamsStart,
  scalars,
  sessionStart,
} from './messages.js';

/**
 * What TensorBoard shows of an event of a run, as records of an event file. Everything stands at the number of steps
 * that the run has made, so that a resumed run can say which of it is done again.
 */
export function tensorboardRecords(
  event: RunEvent,
  experiment: Experiment,
  stepsPerEpoch: number,
): Uint8Array[] {
  const seconds = Date.parse(event.time) / 1000;
  const at = (epochs: number, steps = 0) => ({ seconds, step: epochs * stepsPerEpoch + steps });
  switch (event.event) {
    case 'start':
      return [fileVersion(seconds), hparamsStart(at(0), hyperParameters(experiment))];
    case 'resume':
      return [fileVersion(seconds), sessionStart(at(event.epochs, event.steps + 1))];
    case 'step':
      return [
        scalars(
          { seconds, step: event.globalStep },
          { 'step/loss': event.loss, 'step/learning_rate': event.learningRate },
        ),
      ];
    case 'epoch':
      return [
        scalars(at(event.epoch), {
          epoch: event.epoch,
          'loss/train': event.trainLoss,
          'loss/validation': event.validationLoss,
          'loss/test': event.testLoss,
          'error/train': event.trainError,
          'error/validation': event.validationError,
          'error/test': event.testError,
          'top5_error/validation': event.validationTop5Error,
          'top5_error/test': event.testTop5Error,
          learning_rate: event.learningRate,
          images_per_second: event.imagesPerSecond,
        }),
      ];
    case 'end': {
      if (event.status === 'interrupted') return [];
      const moment = at(event.epochs, event.steps);
      const reported = event.status === 'finished' ? event.reported?.error : undefined;
      return [
        ...(reported === undefined ? [] : [scalars(moment, { test_error: reported })]),
        hparamsEnd(moment, event.status === 'finished' ? 'success' : 'failure'),
      ];
    }
    default:
      return [];
  }
}

/** The values of a config by their dotted paths, lists as text; without what it says of itself. */
function hyperParameters({ name, description: _, paper: _paper, ...rest }: Experiment) {
  const values: Record<string, HyperParameter> = { name };
  const add = (path: string, value: unknown): void => {
    if (isPlainObject(value)) {
      for (const [key, inner] of Object.entries(value)) add(path === '' ? key : `${path}.${key}`, inner);
    } else if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') {
      values[path] = value;
    } else if (value !== undefined && value !== null) {
      values[path] = JSON.stringify(value);
    }
  };
  add('', rest);
  return values;
}
