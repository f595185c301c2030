import { readTable } from './paper-csv.js';

/** A number that is neither the paper's nor ours. Errors are percentages. */
export interface Reference {
  /** `DenseNet-BC (k=12)`. */
  readonly method: string;
  readonly depth: number;
  /** A column of Table 2, or `ImageNet`. */
  readonly dataset: string;
  /** `test`, `top-1 single crop`, … */
  readonly metric: string;
  readonly error: number;
  readonly source: string;
}

/** What the paper's authors published beside it. */
export function authorsCode(): Reference[] {
  return readTable('authors-code').map(toReference);
}

/** What others measured with DenseNets. */
export function reproductions(): Reference[] {
  return readTable('reproductions').map(toReference);
}

/** Numbers of compared networks, and those that only secondary sources give. */
export function secondarySources(): Reference[] {
  return readTable('secondary').map(toReference);
}

function toReference(record: Record<string, string>): Reference {
  const growth = record.growth_rate;
  return {
    method: growth ? `${record.method} (k=${growth})` : record.method!,
    depth: Number(record.depth),
    dataset: record.dataset!,
    metric: record.metric ?? 'test',
    error: Number(record.error),
    source: record.source!,
  };
}

/** `4.54 (bearpaw/pytorch-classification README); 4.76 (…)`; empty for none. */
export function referenceCell(references: readonly Reference[]): string {
  return references.map(({ error, source }) => `${error.toFixed(2)} (${source})`).join('; ');
}
