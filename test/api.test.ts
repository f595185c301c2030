import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';
import { startNode, temporaryFolder } from './program.js';

test('the example in docs/api.md runs as pasted', async () => {
  const folder = await temporaryFolder();
  const text = await readFile(join(packageRoot, 'docs', 'api.md'), 'utf8');
  await writeFile(join(folder, 'example.mjs'), /^```js\n(.*?)^```/ms.exec(text)![1]!);
  await mkdir(join(folder, 'node_modules'));
  await symlink(packageRoot, join(folder, 'node_modules', 'densenet'));
  const { code, stdout, stderr } = await startNode(folder, ['example.mjs']).ended;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const [, parameters, error, again] =
    /^(\d+) parameters\ntrained in results.*\n([\d.]+) % test error\n([\d.]+) % again, \d+ images/.exec(
      stdout,
    )!;
  expect(Number(parameters)).toBeGreaterThan(0);
  expect(again).toBe(error);
});

test('what is wrong is a UserError with a remedy', async () => {
  const folder = await temporaryFolder();
  const index = JSON.stringify(join(packageRoot, 'dist', 'index.js'));
  const script = `import { loadExperiment, UserError } from ${index};
    await loadExperiment('quikstart').catch((error) => console.log(error instanceof UserError, error.kind, error.remedy));`;
  const { stdout } = await startNode(folder, ['--input-type=module', '--eval', script]).ended;
  expect(stdout).toMatch(/^true usage .*quickstart/);
});
