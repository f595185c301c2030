import { definitionOf } from '../datasets/definitions.js';
import type { Measurement } from './measurements.js';
import { meanAndSpread } from './measurements.js';
import { paperTable2, TABLE2_COLUMNS, type Table2Column, type Table2Row } from './paper-csv.js';
import { type PaperRecipes, placeInTable2, type Table2RowName } from './paper-recipe.js';
import { authorsCode, type Reference, referenceCell, reproductions } from './references.js';
import { type Sheet, type SheetRecord, SourceNotes, signed } from './sheet.js';
import { againstOneRun, pValue } from './significance.js';
import { millions } from './test-error.js';

/** A cell of Table 2. Errors are percentages. */
export interface Table2Cell {
  /** As the paper prints it. */
  readonly paper: number | undefined;
  /** The paper marks it with a star: its authors ran a network of others. */
  readonly starred: boolean;
  /** The lowest that the paper prints in its column. */
  readonly lowest: boolean;
  /** Ours, by the paper's recipe. */
  readonly measured: Measurement | undefined;
  readonly authors: readonly Reference[];
  readonly reproductions: readonly Reference[];
}

export interface Table2Entry {
  readonly method: string;
  readonly depth: number | undefined;
  /** As the paper prints it where it has the row. */
  readonly params: string | undefined;
  readonly cells: Readonly<Record<Table2Column, Table2Cell>>;
}

/** What was measured, but is no cell of Table 2, and why not. */
export interface OtherMeasurement {
  readonly measurement: Measurement;
  /** `training.epochs=40`; empty where only the data are others. */
  readonly differences: readonly string[];
}

/** A measurement in its place. */
interface Comparable extends Table2RowName {
  readonly measurement: Measurement;
}

export interface Table2 {
  readonly rows: readonly Table2Entry[];
  readonly others: readonly OtherMeasurement[];
}

export interface TableOptions {
  /** Rows and cells with something measured only. */
  readonly measuredOnly?: boolean;
  /** Adds the authors' code and independent reproductions. */
  readonly references?: boolean;
}

/**
 * Table 2 of the paper with what was measured beside it. A measurement stands in a cell if network, data and
 * recipe (section 4.2, or that of the network's own source) are the cell's; networks that the paper does not have
 * get rows of their own below. Everything else is in `others`, but for datasets of Table 3.
 */
export function table2(
  measured: readonly Measurement[],
  recipes: PaperRecipes,
  options: TableOptions = {},
): Table2 {
  const comparable = new Map<string, Comparable>();
  const others: OtherMeasurement[] = [];
  for (const measurement of measured.filter((one) => definitionOf(one.experiment.dataset).table === 2)) {
    const { experiment, dataset } = measurement;
    const place = placeInTable2(recipes, dataset, experiment);
    if (place?.differences.length === 0)
      comparable.set(key(place.row.method, place.row.depth, dataset), { ...place.row, measurement });
    else others.push({ measurement, differences: place?.differences ?? [] });
  }
  const references = options.references ? { authors: authorsCode(), others: reproductions() } : undefined;
  const at = (list: readonly Reference[] | undefined, method: string, depth: number, column: Table2Column) =>
    (list ?? []).filter((r) => key(r.method, r.depth, r.dataset) === key(method, depth, column));

  const all = networks(comparable.values(), references?.authors ?? []);
  const lowest = (column: Table2Column) => Math.min(...all.map((row) => row.errors[column] ?? Infinity));
  const rows = all.map((row): Table2Entry => {
    const depth = row.depth ?? 0;
    const cell = (column: Table2Column): Table2Cell => ({
      paper: row.errors[column],
      starred: row.starred.includes(column),
      lowest: row.errors[column] === lowest(column),
      measured: comparable.get(key(row.method, depth, column))?.measurement,
      authors: at(references?.authors, row.method, depth, column),
      reproductions: at(references?.others, row.method, depth, column),
    });
    const cells = Object.fromEntries(TABLE2_COLUMNS.map((column) => [column, cell(column)]));
    return { ...row, cells: cells as Record<Table2Column, Table2Cell> };
  });
  return { rows: options.measuredOnly ? rows.filter(isMeasured) : rows, others };
}

function key(method: string, depth: number, dataset: string): string {
  return `${method} ${depth} ${dataset}`;
}

function isMeasured({ cells }: Table2Entry): boolean {
  return TABLE2_COLUMNS.some((column) => cells[column].measured !== undefined);
}

/** The paper's rows, then networks that only we or only the authors' code have. */
function networks(measured: Iterable<Comparable>, authors: readonly Reference[]) {
  const rows: Table2Row[] = [...paperTable2()];
  const add = (method: string, depth: number, params: string | undefined) => {
    if (!rows.some((row) => row.method === method && row.depth === depth))
      rows.push({ method, depth, params, errors: {}, starred: [] });
  };
  for (const { method, depth, measurement } of measured) add(method, depth, millions(measurement.parameters));
  for (const { method, depth, dataset } of authors)
    if (TABLE2_COLUMNS.some((column) => column === dataset)) add(method, depth, undefined);
  return rows;
}

/** The table for people; then, if there are any, the measurements that are not comparable with it. */
export function table2Sheets({ rows, others }: Table2, options: TableOptions = {}): Sheet[] {
  const sources = new SourceNotes();
  const parts = options.references
    ? ['paper', 'ours', 'diff.', "authors' code", 'reproductions']
    : ['paper', 'ours', 'diff.'];
  const columns = TABLE2_COLUMNS.flatMap((column) => parts.map((part) => `${column} ${part}`));
  const main: Sheet = {
    title: 'Table 2: test error (%)',
    columns: ['method', 'depth', 'params', ...columns],
    right: ['depth', 'params', ...columns],
    drop: [
      ...columns.filter((column) => !/ (paper|ours)$/.test(column)),
      'params',
      ...columns.slice(1).toReversed(),
    ],
    rows: rows.map(({ method, depth, params, cells }) => [
      method,
      `${depth ?? ''}`,
      params ?? '',
      ...TABLE2_COLUMNS.flatMap((column) => {
        const { measured, authors, reproductions: repeated } = cells[column];
        const texts = [
          options.measuredOnly && !measured ? '' : printed(cells[column]),
          measured ? meanAndSpread(measured) : '',
          differenceText(cells[column]),
        ];
        return options.references ? [...texts, sources.cell(authors), sources.cell(repeated)] : texts;
      }),
    ]),
  };
  const cells = rows.flatMap((row) => Object.values(row.cells));
  const tested = cells.some((cell) => differenceText(cell).includes('p '));
  const notes = [...PRINTED_MARKS, ...(tested ? [TEST] : []), ...sources.notes];
  return [{ ...main, notes }, ...(others.length > 0 ? [othersSheet(others)] : [])];
}

const PRINTED_MARKS = ['* run by the authors of the paper', '† the lowest of its column, as printed'];

const TEST =
  "p: two-sided, for a difference from the paper this large if there is none. The paper's errors are of one run; their " +
  'spread is taken as that of our seeds, and errors of seeds as normal.';

/** `11.26*`, `3.46†` */
function printed({ paper, starred, lowest }: Table2Cell): string {
  return paper === undefined ? '' : `${paper.toFixed(2)}${starred ? '*' : ''}${lowest ? '†' : ''}`;
}

/** `+0.17 (p = 0.03)`; without p for one seed. */
function differenceText({ paper, measured }: Table2Cell): string {
  if (!measured || paper === undefined) return '';
  const tested = againstOneRun(measured, paper);
  return `${signed(measured.mean - paper)}${tested ? ` (${pValue(tested.p)})` : ''}`;
}

function othersSheet(others: readonly OtherMeasurement[]): Sheet {
  const columns = [
    'method',
    'depth',
    'params',
    'dataset',
    'epochs',
    'ours',
    "differs from the paper's recipe",
  ];
  return {
    title: 'Measured, but not comparable with Table 2: test error (%)',
    columns,
    right: ['depth', 'params', 'epochs', 'ours'],
    rows: others.map(({ measurement, differences }) => [
      measurement.method,
      `${measurement.experiment.network.depth}`,
      millions(measurement.parameters),
      measurement.dataset,
      `${measurement.experiment.training.epochs}`,
      meanAndSpread(measurement),
      differences.join(', '),
    ]),
  };
}

/** Columns of the table for programs: one number per cell. */
export function table2Columns(options: TableOptions = {}): string[] {
  const parts = ['paper', 'n', 'mean', 'sd', 'difference', 'p'];
  if (options.references) parts.push('authors_code', 'reproductions');
  return [
    'method',
    'depth',
    'params',
    ...TABLE2_COLUMNS.flatMap((column) => parts.map((p) => `${column}_${p}`)),
  ];
}

/** The rows under `table2Columns`. */
export function table2Records({ rows }: Table2, options: TableOptions = {}): SheetRecord[] {
  return rows.map(({ method, depth, params, cells }) => ({
    method,
    depth,
    params,
    ...Object.fromEntries(
      TABLE2_COLUMNS.flatMap((column) => {
        const { paper, measured, authors, reproductions: repeated } = cells[column];
        const shown = options.measuredOnly && !measured ? undefined : paper;
        const compared = measured && paper !== undefined;
        const difference = compared ? measured.mean - paper : undefined;
        const tested = compared ? againstOneRun(measured, paper) : undefined;
        return Object.entries({
          [`${column}_paper`]: shown?.toFixed(2),
          [`${column}_n`]: measured?.n,
          [`${column}_mean`]: measured?.mean.toFixed(2),
          [`${column}_sd`]: measured?.sd?.toFixed(2),
          [`${column}_difference`]: difference?.toFixed(2),
          [`${column}_p`]: tested?.p.toPrecision(2),
          [`${column}_authors_code`]: referenceCell(authors) || undefined,
          [`${column}_reproductions`]: referenceCell(repeated) || undefined,
        });
      }),
    ),
  }));
}
