import { expect, test } from 'vitest';
import { sweepNames } from '../../src/sweep/names.js';
import { sweepDefinition } from '../../src/sweep/request.js';

test('a sweep of the program is found by its name, with or without extension, and options change it', async () => {
  expect(sweepNames()).toContain('table2');
  const plain = await sweepDefinition({ file: 'table2', set: [] });
  expect(plain.configs).toHaveLength(52);
  expect(await sweepDefinition({ file: 'table2.yaml', set: [] })).toEqual(plain);
  const changed = await sweepDefinition({ file: 'table2', set: ['a=1'], seeds: [4, 5], subset: 10 });
  expect(changed).toEqual({ ...plain, set: [...plain.set, 'a=1'], seeds: [4, 5], subset: 10 });
});

test('configs stand for a file; one of the two is needed', async () => {
  const { configs, seeds } = await sweepDefinition({ configs: ['a', 'b'], set: [] });
  expect([configs.map(({ config }) => config), seeds]).toEqual([['a', 'b'], [1]]);
  await expect(sweepDefinition({ set: [] })).rejects.toThrow('either a file or --config');
  await expect(sweepDefinition({ file: 'table2', configs: ['a'], set: [] })).rejects.toThrow('either a file');
});
