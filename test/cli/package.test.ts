import { execFile } from 'node:child_process';
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { temporaryFolder } from '../program.js';

const execute = promisify(execFile);

test('what npm packs holds all that the program needs', async () => {
  const folder = await temporaryFolder();
  await execute('npm', ['pack', '--pack-destination', folder], { cwd: packageRoot });
  const [archive] = await readdir(folder);
  await execute('tar', ['-xzf', archive!], { cwd: folder });
  const packed = join(folder, 'package');
  await symlink(join(packageRoot, 'node_modules'), join(packed, 'node_modules'));
  const run = async (...args: string[]) =>
    (await execute(process.execPath, [join(packed, 'bin', 'densenet'), ...args], { cwd: folder })).stdout;
  expect(await run('table', '2')).toContain('DenseNet-BC');
  const trained = await run('train', '--config=smoke-fashion-mnist-mini', '--subset=64', '--engine=native');
  expect(trained).toContain('Tables: ');
  expect(await run('bench', 'peers', '--help')).toContain('densenet-121-predict');
});
