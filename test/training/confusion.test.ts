import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { ConfusionMatrix, confusionCsv } from '../../src/training/confusion.js';

test('classes may be called as the first column is, as another class, or as what every object has', () => {
  const names = ['label', 'cat', 'cat', 'a.b', '__proto__'];
  const confusion = new ConfusionMatrix(names.length);
  const expected = names.map((_, label) => names.map((_, predicted) => 1 + label * names.length + predicted));
  for (const [label, row] of expected.entries())
    for (const [predicted, images] of row.entries())
      for (let i = 0; i < images; i++) confusion.add(label, predicted);
  const [header, ...rows]: string[][] = parse(confusionCsv(confusion, names));
  expect(header).toEqual(['label', ...names]);
  expect(rows).toEqual(names.map((name, label) => [name, ...expected[label]!.map(String)]));
});
