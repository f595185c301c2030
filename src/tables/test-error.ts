import type { Measurement } from './measurements.js';
import { paperTable2, TABLE2_COLUMNS, type Table2Column } from './paper-csv.js';

/** Columns of test-error.csv: those of Table 2, then what a measured row is made of. */
export const TEST_ERROR_COLUMNS = [
  'method',
  'depth',
  'params',
  ...TABLE2_COLUMNS,
  'source',
  'n',
  'mean',
  'sd',
  'top5_mean',
  'top5_sd',
  'ten_crop_mean',
  'ten_crop_sd',
  'ten_crop_top5_mean',
  'ten_crop_top5_sd',
  'dataset',
  'epochs',
  'validation',
  'runs',
] as const;

export type TestErrorRow = Readonly<Partial<Record<(typeof TEST_ERROR_COLUMNS)[number], string | number>>>;

/**
 * The rows of test-error.csv: the paper's Table 2, then one row for each experiment that was measured, with its
 * mean in the column of Table 2 that it belongs to, if any; see `measurements`. n counts seeds; sd is empty for
 * one seed.
 */
export function testErrorRows(measured: readonly Measurement[]): TestErrorRow[] {
  const paper = paperTable2();
  const printed: TestErrorRow[] = paper.map(({ method, depth, params, errors }) => ({
    method,
    depth,
    params,
    ...Object.fromEntries(Object.entries(errors).map(([column, error]) => [column, error.toFixed(2)])),
    source: 'paper',
  }));
  const place = (row: TestErrorRow) => {
    const index = paper.findIndex(({ method, depth }) => method === row.method && depth === row.depth);
    return index < 0 ? paper.length : index;
  };
  const columnPlace = (row: TestErrorRow) => {
    const index = TABLE2_COLUMNS.indexOf(row.dataset as Table2Column);
    return index < 0 ? TABLE2_COLUMNS.length : index;
  };
  const own = measured
    .map(measuredRow)
    .sort((a, b) => place(a) - place(b) || columnPlace(a) - columnPlace(b));
  return [...printed, ...own];
}

function measuredRow(measurement: Measurement): TestErrorRow {
  const { experiment, dataset, mean, sd, top5, tenCrop, tenCropTop5 } = measurement;
  return {
    method: measurement.method,
    depth: experiment.network.depth,
    params: millions(measurement.parameters),
    ...(TABLE2_COLUMNS.some((column) => column === dataset) ? { [dataset]: mean.toFixed(2) } : {}),
    source: 'measured',
    n: measurement.n,
    mean: mean.toFixed(2),
    sd: sd?.toFixed(2),
    top5_mean: top5?.mean.toFixed(2),
    top5_sd: top5?.sd?.toFixed(2),
    ten_crop_mean: tenCrop?.mean.toFixed(2),
    ten_crop_sd: tenCrop?.sd?.toFixed(2),
    ten_crop_top5_mean: tenCropTop5?.mean.toFixed(2),
    ten_crop_top5_sd: tenCropTop5?.sd?.toFixed(2),
    dataset,
    epochs: experiment.training.epochs,
    validation: experiment.dataset.validation,
    runs: measurement.runs.join(' '),
  };
}

/** As the paper prints it, `0.8M`; with two digits below 0.1M. */
export function millions(count: number): string {
  const value = count / 1e6;
  return `${value < 0.1 ? value.toPrecision(2) : value.toFixed(1)}M`;
}
