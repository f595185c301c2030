import type { RunRecord } from '../runs/run-records.js';
import { runRow } from './run-tables.js';
import { type Sheet, sheetDocument, type TableDocument } from './sheet.js';

/** Everything about one run: each value of its results, environment, config and last epoch with its dotted path. */
export function runDetails(record: RunRecord): TableDocument {
  const { folder, status, experiment, environment, result, epochs, problem, note, tags } = record;
  const sheet: Sheet = {
    columns: ['key', 'value'],
    right: [],
    rows: [
      ['folder', folder.path],
      ...flatten(runRow(record)),
      ...flatten({ environment: { ...environment, resumed: environment?.resumed.length } }),
      ...flatten({ config: experiment }),
      ...flatten({ last_epoch: epochs.at(-1) }),
    ],
  };
  const { name, path } = folder;
  return sheetDocument(sheet, {
    name,
    path,
    status,
    problem,
    note,
    tags,
    result,
    experiment,
    environment,
    epochs,
  });
}

/** Lists count as one value. */
function flatten(value: unknown, path = ''): string[][] {
  if (value === undefined || value === '') return [];
  if (typeof value !== 'object' || value === null) return [[path, `${value}`]];
  if (Array.isArray(value)) return [[path, value.join(' ')]];
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path ? `${path}.${key}` : key));
}
