import { definitionOf } from '../datasets/definitions.js';
import type { NetworkOptions } from '../networks/build.js';
import { type DenseNetOptions, firstChannels } from '../networks/densenet.js';
import { table1Networks } from './imagenet-networks.js';
import { type Measurement, meanAndSpread, type Spread } from './measurements.js';
import { readTable } from './paper-csv.js';
import { type PaperRecipes, recipeDifferences } from './paper-recipe.js';
import { authorsCode, type Reference, secondarySources } from './references.js';
import { type Sheet, type SheetRecord, signed } from './sheet.js';
import type { OtherMeasurement, TableOptions } from './table2.js';
import { millions } from './test-error.js';

/** Columns of Table 3, as `secondary.csv` and `authors-code.csv` name them. */
const METRICS = {
  top1_single_crop: 'top-1 single crop',
  top1_ten_crop: 'top-1 ten crops',
  top5_single_crop: 'top-5 single crop',
  top5_ten_crop: 'top-5 ten crops',
} as const;
type Metric = keyof typeof METRICS;
const METRIC_KEYS = Object.keys(METRICS) as Metric[];

/** A row of Table 3, or of what other sources give. Errors are percentages. */
export interface Table3Row {
  /** `DenseNet-121 (k=32)`. */
  readonly model: string;
  /** `paper`, or the source that the row stands for alone. */
  readonly source: string;
  readonly paper: Readonly<Partial<Record<Metric, number>>>;
  readonly measured: Readonly<Partial<Record<Metric, Spread>>>;
  readonly authors: Readonly<Partial<Record<Metric, number>>>;
  readonly secondary: Readonly<Partial<Record<Metric, number>>>;
}

export interface Table3 {
  readonly rows: readonly Table3Row[];
  /** What was measured on ImageNet, but is no row of the paper, or not by its recipe. */
  readonly others: readonly OtherMeasurement[];
}

/** DenseNet-264 (k=48): secondary sources give it errors that are not in the paper, so it is always listed apart. */
const APART = 'DenseNet-264 (k=48)';

/**
 * Table 3 of the paper, validation errors on ImageNet. A training run gives the errors of a single crop,
 * `eval --ten-crop` those of ten. A measurement stands in a row if network, data and recipe (section 4.2) are the
 * paper's; everything else on ImageNet is in `others`. What is not in the paper follows in rows of its own, one a
 * source: DenseNet-264 (k=48) always, all others with references.
 */
export function table3(
  measured: readonly Measurement[],
  recipes: PaperRecipes,
  options: TableOptions = {},
): Table3 {
  const networks = table1Networks();
  const all = measured
    .filter(({ experiment }) => definitionOf(experiment.dataset).table === 3)
    .map((measurement): OtherMeasurement & { readonly comparable: boolean } => {
      const differences = recipeDifferences(recipes, 'ImageNet', measurement.experiment) ?? [];
      const comparable = measurement.dataset === 'ImageNet' && differences.length === 0;
      return { measurement, comparable, differences };
    });
  const placed = new Set<Measurement>();
  const shownAuthors = new Set<Reference>();
  const authors = options.references ? authorsCode().filter(({ dataset }) => dataset === 'ImageNet') : [];
  const rows = readTable('table3').map((record): Table3Row => {
    const { options: network } = networks.find(({ name }) => name === record.method)!;
    const mine = all.find(
      ({ comparable, measurement }) => comparable && isNetwork(measurement.experiment.network, network),
    )?.measurement;
    if (mine) placed.add(mine);
    const published = authors.filter(
      ({ method, depth }) => method === `DenseNet-BC (k=${network.growthRate})` && depth === network.depth,
    );
    for (const reference of published) shownAuthors.add(reference);
    return {
      model: `${record.method} (k=${record.growth_rate})`,
      source: 'paper',
      paper: Object.fromEntries(METRIC_KEYS.map((metric) => [metric, Number(record[metric])])),
      measured: mine ? measuredMetrics(mine) : {},
      authors: byMetric(published),
      secondary: {},
    };
  });
  const shown = options.measuredOnly
    ? rows.filter((row) => Object.keys(row.measured).length > 0)
    : [
        ...rows,
        ...secondaryRows(
          authors.filter((r) => !shownAuthors.has(r)),
          options.references ?? false,
        ),
      ];
  return { rows: shown, others: all.filter(({ measurement }) => !placed.has(measurement)) };
}

/** Whether it is that DenseNet of Table 1, with nothing changed. */
function isNetwork(mine: NetworkOptions, paper: DenseNetOptions): boolean {
  return (
    mine.family === 'densenet' &&
    mine.growthRate === paper.growthRate &&
    mine.bottleneck &&
    mine.compression === paper.compression &&
    firstChannels(mine) === firstChannels(paper) &&
    mine.blocks?.join() === paper.blocks?.join()
  );
}

function measuredMetrics(mine: Measurement): Table3Row['measured'] {
  return {
    top1_single_crop: mine,
    ...(mine.tenCrop && { top1_ten_crop: mine.tenCrop }),
    ...(mine.top5 && { top5_single_crop: mine.top5 }),
    ...(mine.tenCropTop5 && { top5_ten_crop: mine.tenCropTop5 }),
  };
}

/** What is not in the paper, one row for each model and source; `authors`: of their networks that Table 3 lacks. */
function secondaryRows(authors: readonly Reference[], references: boolean): Table3Row[] {
  const secondary = secondarySources();
  const apart = secondary.filter(({ method }) => method === APART);
  const others = references ? [...authors, ...secondary.filter(({ method }) => method !== APART)] : [];
  const groups = new Map<string, Reference[]>();
  for (const reference of [...apart, ...others]) {
    const key = `${modelName(reference)}, ${reference.source}`;
    groups.set(key, [...(groups.get(key) ?? []), reference]);
  }
  return [...groups.values()].map((list) => ({
    model: modelName(list[0]!),
    source: list[0]!.source,
    paper: {},
    measured: {},
    authors: {},
    secondary: byMetric(list),
  }));
}

/** `DenseNet-161 (k=48)`, `ResNet-101`. */
function modelName({ method, depth }: Reference): string {
  if (method === APART) return method;
  return /^DenseNet-BC/.test(method)
    ? method.replace('DenseNet-BC', `DenseNet-${depth}`)
    : `${method}-${depth}`;
}

function byMetric(references: readonly Reference[]): Partial<Record<Metric, number>> {
  return Object.fromEntries(
    METRIC_KEYS.flatMap((key) => {
      const found = references.find(({ metric }) => metric === METRICS[key]);
      return found ? [[key, found.error]] : [];
    }),
  );
}

/** The table for people; then what secondary sources give, and what else was measured. */
export function table3Sheets({ rows, others }: Table3, options: TableOptions = {}): Sheet[] {
  const parts = ['paper', 'ours', 'diff.', ...(options.references ? ["authors' code"] : [])];
  const columns = METRIC_KEYS.flatMap((metric) => parts.map((part) => `${METRICS[metric]} ${part}`));
  const own = rows.filter(({ source }) => source === 'paper');
  const apart = rows.filter(({ source }) => source !== 'paper');
  const main: Sheet = {
    title: 'Table 3: validation error on ImageNet (%)',
    columns: ['model', ...columns],
    right: columns,
    rows: own.map((row) => [
      row.model,
      ...METRIC_KEYS.flatMap((metric) => {
        const paper = row.paper[metric];
        const measured = row.measured[metric];
        const texts = [
          paper?.toFixed(2) ?? '',
          measured ? meanAndSpread(measured) : '',
          measured && paper !== undefined ? signed(measured.mean - paper) : '',
        ];
        return options.references ? [...texts, row.authors[metric]?.toFixed(2) ?? ''] : texts;
      }),
    ]),
  };
  const secondary: Sheet = {
    title: 'From secondary sources, not in the paper (%)',
    columns: ['model', ...Object.values(METRICS), 'source'],
    right: Object.values(METRICS),
    rows: apart.map((row) => [
      row.model,
      ...METRIC_KEYS.map((metric) => row.secondary[metric]?.toFixed(2) ?? ''),
      row.source,
    ]),
  };
  return [
    main,
    ...(apart.length > 0 ? [secondary] : []),
    ...(others.length > 0 ? [othersSheet(others)] : []),
  ];
}

/** What else was measured on ImageNet, for people. */
export function othersSheet(others: readonly OtherMeasurement[]): Sheet {
  const metrics = Object.values(METRICS);
  return {
    title: 'Measured on ImageNet, but no row of Table 3: validation error (%)',
    columns: [
      'method',
      'depth',
      'params',
      'dataset',
      'epochs',
      ...metrics,
      "differs from the paper's recipe",
    ],
    right: ['depth', 'params', 'epochs', ...metrics],
    rows: others.map(({ measurement, differences }) => {
      const errors = measuredMetrics(measurement);
      return [
        measurement.method,
        `${measurement.experiment.network.depth}`,
        millions(measurement.parameters),
        measurement.dataset,
        `${measurement.experiment.training.epochs}`,
        ...METRIC_KEYS.map((metric) => (errors[metric] ? meanAndSpread(errors[metric]) : '')),
        differences.join(', '),
      ];
    }),
  };
}

/** Columns of the table for programs: one number per cell. */
export function table3Columns(options: TableOptions = {}): string[] {
  const parts = ['paper', 'n', 'mean', 'sd', 'difference', ...(options.references ? ['authors_code'] : [])];
  return ['model', 'source', ...METRIC_KEYS.flatMap((m) => [...parts, 'secondary'].map((p) => `${m}_${p}`))];
}

/** The rows under `table3Columns`. */
export function table3Records({ rows }: Table3): SheetRecord[] {
  return rows.map(({ model, source, paper, measured, authors, secondary }) => ({
    model,
    source,
    ...Object.fromEntries(
      METRIC_KEYS.flatMap((metric) => {
        const mine = measured[metric];
        const difference = mine && paper[metric] !== undefined ? mine.mean - paper[metric] : undefined;
        return Object.entries({
          [`${metric}_paper`]: paper[metric]?.toFixed(2),
          [`${metric}_n`]: mine?.n,
          [`${metric}_mean`]: mine?.mean.toFixed(2),
          [`${metric}_sd`]: mine?.sd?.toFixed(2),
          [`${metric}_difference`]: difference?.toFixed(2),
          [`${metric}_authors_code`]: authors[metric]?.toFixed(2),
          [`${metric}_secondary`]: secondary[metric]?.toFixed(2),
        });
      }),
    ),
  }));
}
