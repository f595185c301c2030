import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { publishedFiles } from '../../src/published/files.js';
import { type PublishedMeasurement, publishedMeasurements } from '../../src/published/measured.js';
import { packageRoot } from '../../src/util/package.js';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');

test('published tables, figures and documents are what npm run docs:results writes', async () => {
  for (const [path, content] of await publishedFiles()) {
    const name = relative(packageRoot, path);
    if (typeof content === 'string') expect(readFileSync(path, 'utf8'), name).toBe(content);
    else expect(readFileSync(path).equals(content), name).toBe(true);
  }
});

/** Whether a mean and spread, as printed, are those of a measurement. */
function isMeasured(measured: readonly PublishedMeasurement[], mean: string, sd: string): boolean {
  const digits = (text: string) => text.split('.')[1]?.length ?? 0;
  return measured.some(
    (one) => one.mean.toFixed(digits(mean)) === mean && one.sd?.toFixed(digits(sd)) === sd,
  );
}

test.each(['README.md', 'docs/figures.md'])('every mean and spread in %s was measured', async (name) => {
  const measured = await publishedMeasurements();
  const printed = [...read(name).matchAll(/([\d.]+) ± ([\d.]+) %/g)].map(([, mean, sd]) => [mean!, sd!]);
  expect(printed.length).toBeGreaterThan(0);
  expect(printed.filter(([mean, sd]) => !isMeasured(measured, mean!, sd!))).toEqual([]);
});

test("the README's example is the quickstart's first seed", async () => {
  const [quickstart] = await publishedMeasurements();
  expect(quickstart!.experiment.name).toBe('quickstart');
  const [, error] = /last epoch +([\d.]+) %/.exec(read('README.md'))!;
  expect(Number(error)).toBe(quickstart!.errors[0]);
});
