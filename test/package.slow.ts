import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';
import { execute, packInto } from './package.js';
import { temporaryFolder } from './program.js';

test('the package installs outside the repository, with scripts allowed, and runs', async () => {
  const folder = await temporaryFolder();
  const archive = await packInto(folder);
  const project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  const options = ['--ignore-scripts=false', '--prefer-offline', '--no-audit', '--no-fund'];
  await execute('npm', ['install', ...options, archive], { cwd: project });
  const installed = await readdir(join(project, 'node_modules'));
  expect(installed).not.toContain('@tensorflow');
  expect(installed).not.toContain('typescript');

  const densenet = async (...args: string[]) =>
    (await execute(join(project, 'node_modules', '.bin', 'densenet'), args, { cwd: project })).stdout;
  await densenet('train', '--config=smoke-fashion-mnist-mini', '--subset=64', '--engine=native');
  await densenet('train', '--config=smoke-fashion-mnist-mini', '--subset=64', '--engine=tensorflow');
  await densenet('selftest', '--engine=native');
  await densenet('figure', 'curves', 'smoke-fashion-mnist-mini');
  await access(join(project, 'results', 'figures', 'curves.png'));

  const program = `
    import { describe, type Experiment, loadExperiment, train } from 'densenet';
    const experiment: Experiment = await loadExperiment('quickstart');
    const parameters: number = describe(experiment).parameters;
    const error: number | undefined = (await train(experiment)).result.last?.error;
    export { error, parameters };`;
  await writeFile(join(project, 'program.ts'), program);
  const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const strict = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext'];
  const types = ['--types', 'node', '--typeRoots', join(packageRoot, 'node_modules', '@types')];
  await execute(process.execPath, [compiler, ...strict, ...types, 'program.ts'], { cwd: project });
}, 600_000);
