import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findRunFolder } from '../src/runs/folders.js';
import { packageRoot } from '../src/util/package.js';
import { execute, packInto } from './package.js';
import { startNode, temporaryFolder } from './program.js';

test('what npm packs holds all that the program needs', async () => {
  const folder = await temporaryFolder();
  await execute('tar', ['-xzf', await packInto(folder)], { cwd: folder });
  const packed = join(folder, 'package');
  const files = await readdir(packed, { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining([
      'dist/index.d.ts',
      'docs/troubleshooting.md',
      'src/selftest/expected/resnet.safetensors',
    ]),
  );
  expect(files.filter((name) => name.endsWith('.map'))).toEqual([]);
  const pages = files.filter((name) => name.endsWith('.md') && !name.includes('dist'));
  const broken = pages.flatMap((page) =>
    [...readFileSync(join(packed, page), 'utf8').matchAll(/\]\((?!\w+:|#)([^)#]+)/g)]
      .map(([, target]) => join(dirname(page), target!))
      .filter((target) => !existsSync(join(packed, target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
  await symlink(join(packageRoot, 'node_modules'), join(packed, 'node_modules'));
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await startNode(folder, [join(packed, 'bin', 'densenet'), ...args])
      .ended;
    expect(code, stderr).toBe(0);
    return stdout;
  };
  expect(await run('table', '2')).toContain('DenseNet-BC');
  // The project that it is installed in is not the program.
  await execute('git', ['init', '--quiet'], { cwd: folder });
  const person = ['-c', 'user.name=a', '-c', 'user.email=a@localhost'];
  await execute('git', [...person, 'commit', '--quiet', '--allow-empty', '-m', 'mine'], { cwd: folder });
  const trained = await run('train', '--config=smoke-fashion-mnist-mini', '--subset=64', '--engine=native');
  expect(trained).toContain('Tables: ');
  const { environment } = await findRunFolder(join(folder, 'results'), 'smoke-fashion-mnist-mini');
  expect(JSON.parse(await readFile(environment, 'utf8'))).not.toHaveProperty('git');
  expect(await run('bench', 'peers', '--help')).toContain('densenet-121-predict');
});

test('what npm installs with the package runs no script that fetches anything', async () => {
  const lock = JSON.parse(await readFile(join(packageRoot, 'package-lock.json'), 'utf8'));
  const installed = Object.entries<{ dev?: boolean; hasInstallScript?: boolean }>(lock.packages);
  const scripted = installed.filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev);
  expect(scripted.map(([path]) => path)).toEqual([]);
});
