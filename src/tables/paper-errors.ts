import type { Experiment } from '../config/schema.js';
import { definitionOf } from '../datasets/definitions.js';
import { readTable } from './paper-csv.js';
import { signed } from './sheet.js';

/** Errors in percent. */
export interface TestErrors {
  readonly error: number;
  readonly top5Error?: number;
}

/**
 * What the paper prints for an experiment's network and dataset, of one crop or of ten. Undefined where it prints
 * nothing, or where `count`, the images that were judged, is not the whole test set.
 */
export function paperErrors(
  { paper, dataset }: Pick<Experiment, 'paper' | 'dataset'>,
  count: number,
  tenCrop: boolean,
): TestErrors | undefined {
  if (!paper || count !== definitionOf(dataset).testCount) return undefined;
  if (paper.table !== 3) return tenCrop ? undefined : { error: paper.error };
  const record = readTable('table3').find((row) => `${row.method} (k=${row.growth_rate})` === paper.row);
  if (!record) return undefined;
  const crops = tenCrop ? 'ten_crop' : 'single_crop';
  return { error: Number(record[`top1_${crops}`]), top5Error: Number(record[`top5_${crops}`]) };
}

/** A line with the paper's errors and how far these are from them, where there are `paperErrors`. */
export function paperLine(
  experiment: Pick<Experiment, 'paper' | 'dataset'>,
  measured: TestErrors & { readonly count: number },
  tenCrop: boolean,
): string | undefined {
  const paper = paperErrors(experiment, measured.count, tenCrop);
  if (!paper) return undefined;
  const { table, row } = experiment.paper!;
  const top5 =
    paper.top5Error === undefined || measured.top5Error === undefined
      ? ['', '']
      : [`, top-5 ${paper.top5Error.toFixed(2)} %`, `, ${signed(measured.top5Error - paper.top5Error)}`];
  const difference = signed(measured.error - paper.error);
  return `paper (Table ${table}, ${row}) ${paper.error.toFixed(2)} %${top5[0]}; difference ${difference}${top5[1]}`;
}
