import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');

test('the image is built from all that npm publishes, and from nothing that git ignores', () => {
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  // It is compiled there, and markdown files are allowed together.
  const published = files.filter((path) => !/^!|^dist$|\.md$/.test(path));
  const isAllowed = (path: string) => allowed.some((one) => `${path}/`.startsWith(`${one}/`));
  expect(published.filter((path) => !isAllowed(path))).toEqual([]);
  for (const path of ['node_modules', 'dist', 'results/runs', '.git']) expect(isAllowed(path)).toBe(false);
});

test('both stages of the image begin with the same release of Node', () => {
  const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  expect(bases).toHaveLength(2);
  for (const base of bases) expect(base).toMatch(/^node:\d+\.\d+\.\d+-\w+-slim$/);
  expect(bases[0]).toBe(bases[1]);
});
