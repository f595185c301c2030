import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliReference } from '../../src/cli/reference.js';
import { packageRoot } from '../../src/util/package.js';

test('docs/cli.md is what npm run docs:cli writes', async () => {
  expect(await readFile(join(packageRoot, 'docs', 'cli.md'), 'utf8')).toBe(await cliReference());
});
