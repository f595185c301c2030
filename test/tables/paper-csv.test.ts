import { describe, expect, it } from 'vitest';
import { paperTable2, readTable } from '../../src/tables/paper-csv.js';

const cell = (method: string, depth: number, column: 'C10' | 'C10+' | 'C100' | 'C100+' | 'SVHN') =>
  paperTable2().find((row) => row.method === method && row.depth === depth)?.errors[column];

describe('paperTable2', () => {
  it('has all rows, and numbers as printed', () => {
    expect(paperTable2()).toHaveLength(21);
    expect(paperTable2()[0]).toEqual({
      method: 'Network in Network',
      starred: [],
      depth: undefined,
      params: undefined,
      errors: { C10: 10.41, 'C10+': 8.81, C100: 35.68, SVHN: 2.35 },
    });
    expect(cell('DenseNet (k=12)', 40, 'C10')).toBe(7);
    expect(cell('DenseNet (k=12)', 100, 'C10+')).toBe(4.1);
    expect(cell('DenseNet-BC (k=24)', 250, 'C100')).toBe(19.64);
  });

  it('leaves empty what the paper leaves empty', () => {
    expect(cell('DenseNet-BC (k=40)', 190, 'C10')).toBeUndefined();
    expect(cell('DenseNet-BC (k=40)', 190, 'C100')).toBeUndefined();
    expect(cell('DenseNet-BC (k=40)', 190, 'SVHN')).toBeUndefined();
    expect(cell('DenseNet-BC (k=40)', 190, 'C10+')).toBe(3.46);
  });

  it("has the paper's bold numbers as the lowest of their columns", () => {
    const lowest = (column: 'C10' | 'C100' | 'SVHN' | 'C10+' | 'C100+') =>
      Math.min(...paperTable2().map((row) => row.errors[column] ?? 100));
    expect(lowest('C10')).toBe(5.19);
    expect(lowest('C100')).toBe(19.64);
    expect(lowest('SVHN')).toBe(1.59);
    expect(lowest('C10+')).toBe(3.46);
    expect(lowest('C100+')).toBe(17.18);
  });
});

describe('readTable', () => {
  it.each(['table1', 'table2', 'table3'])("says that %s is the paper's", (name) => {
    expect(new Set(readTable(name).map((row) => row.source))).toEqual(new Set(['paper']));
  });

  it.each(['authors-code', 'reproductions', 'secondary'])('names the source of every row of %s', (name) => {
    const rows = readTable(name);
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      expect(row.source).not.toMatch(/^(|paper)$/);
      expect(Number(row.error)).toBeGreaterThan(0);
    }
  });
});
