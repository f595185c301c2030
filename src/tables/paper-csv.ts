import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { packageRoot } from '../util/package.js';

/** Columns of Table 2; "+" means shift and mirror augmentation. */
export const TABLE2_COLUMNS = ['C10', 'C10+', 'C100', 'C100+', 'SVHN'] as const;
export type Table2Column = (typeof TABLE2_COLUMNS)[number];

/** A row of Table 2. What the paper leaves empty is undefined. */
export interface Table2Row {
  /** `DenseNet-BC (k=12)`. */
  readonly method: string;
  readonly depth: number | undefined;
  /** As printed: `0.8M`. */
  readonly params: string | undefined;
  /** Test errors in percent. */
  readonly errors: Readonly<Partial<Record<Table2Column, number>>>;
  /** Columns in which the paper marks a network of others with a star: its authors ran it themselves. */
  readonly starred: readonly Table2Column[];
}

/** Table 2 of the paper: test errors on CIFAR and SVHN, every row and cell as printed. */
export function paperTable2(): Table2Row[] {
  return readTable('table2').map((record) => ({
    method: record.method!,
    depth: record.depth ? Number(record.depth) : undefined,
    params: record.params || undefined,
    errors: Object.fromEntries(
      TABLE2_COLUMNS.flatMap((column) => (record[column] ? [[column, Number(record[column])]] : [])),
    ),
    starred: TABLE2_COLUMNS.filter((column) => record.starred?.split(' ').includes(column)),
  }));
}

/**
 * The records of `src/tables/paper/<name>.csv`, all values as text. `table1`, `table2` and `table3` are the
 * paper's; `authors-code` is what its authors published beside it, `reproductions` what others measured with
 * DenseNets, `secondary` what the networks compared with them reach in their own sources, and what other sources
 * give for DenseNets that the paper does not have.
 */
export function readTable(name: string): Record<string, string>[] {
  const path = join(packageRoot, 'src', 'tables', 'paper', `${name}.csv`);
  return parse<Record<string, string>>(readFileSync(path), { columns: true });
}
