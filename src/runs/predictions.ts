import { stringify } from 'csv-stringify/sync';
import { writeFileAtomic } from '../util/files.js';

export interface PredictionRow {
  /** Position of the image in its file. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** [classes] */
  readonly logits: Float32Array;
}

/** Writes index, label, predicted class and every logit of each image as CSV. */
export async function writePredictions(path: string, rows: readonly PredictionRow[]): Promise<void> {
  const classes = rows[0]?.logits.length ?? 0;
  const header = ['index', 'label', 'predicted', ...Array.from({ length: classes }, (_, c) => `logit_${c}`)];
  const lines = function* () {
    yield stringify([header]);
    for (const { index, label, predicted, logits } of rows)
      yield stringify([[index, label, predicted, ...logits]]);
  };
  await writeFileAtomic(path, lines());
}
