import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csv } from '../../src/util/csv.js';

test('text that a spreadsheet would calculate becomes text; numbers stay numbers', () => {
  const dangerous = ['=1+1', '+cmd', '-x', '@SUM(A1)', '\tx', '\r=1', '-', '+-1'];
  const plain = ['-1.5', '+0.17', '-.5', '-1e-7', 'C10+', 'a=b', '−0.05', '', 'quote " and, comma\n'];
  const rows = [...dangerous, ...plain].map((text) => ({ text, number: -2 }));
  const read = parse(csv(['text', 'number', 'nothing'], rows), { columns: true }) as Record<string, string>[];
  expect(read.map(({ text }) => text)).toEqual([...dangerous.map((text) => `'${text}`), ...plain]);
  for (const { number, nothing } of read) expect([number, nothing]).toEqual(['-2', '']);
});
