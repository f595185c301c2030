import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { findRunFolder } from '../../src/runs/folders.js';
import { networkOf } from '../../src/training/model.js';
import { packageRoot } from '../../src/util/package.js';
import { run, start, startProcess, temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

test('a reader that goes away does not end training; the exit code says that it went', async () => {
  const folder = await temporaryFolder();
  const args = ['train', '--config=smoke-fashion-mnist-mini', '--subset=64', '--engine=native'];
  const training = start(folder, [...args, '--set=training.epochs=3']);
  await training.seen(/Run folder/);
  training.process.stdout!.destroy();
  const { code, stderr } = await training.ended;
  expect(stderr).toBe('');
  expect(code).toBe(141);
  const found = await findRunFolder(join(folder, 'results'), 'smoke-fashion-mnist-mini');
  expect(JSON.parse(await readFile(found.result, 'utf8'))).toMatchObject({ status: 'finished', epochs: 3 });
});

test('a document of any size arrives whole in a pipe', async () => {
  const folder = await temporaryFolder();
  const errors = Array.from({ length: 3000 }, (_, epoch) => 90 - epoch / 100);
  await makeRun(join(folder, 'results'), 'quickstart', { errors });
  const { code, stdout } = await run(folder, ['runs', 'show', 'quickstart', '--json']);
  expect(code).toBe(0);
  expect(stdout.length).toBeGreaterThan(300_000);
  expect(JSON.parse(stdout).epochs).toHaveLength(3000);
});

test.each(['|', '>'])('a file that is written to /dev/stdout is not mixed with lines: %s', async (sign) => {
  const folder = await temporaryFolder();
  const program = join(packageRoot, 'bin', 'densenet');
  const network = networkOf(await loadExperiment('smoke-fashion-mnist-mini'));
  await writeFile(join(folder, 'w.safetensors'), weightsFile(network, initialValues(network, 1)));
  const args = 'export --config smoke-fashion-mnist-mini --weights w.safetensors';
  const script = `"${program}" ${args} --output /dev/stdout ${sign === '|' ? '| cat >' : '>'} out`;
  await startProcess(folder, 'bash', ['-c', script]).ended;
  await run(folder, [...args.split(' '), '--output=file']);
  expect(await readFile(join(folder, 'out'))).toEqual(await readFile(join(folder, 'file')));
});

test.each([[['table', '2']], [['table', '2', '--json']], [['train', '--help']]])(
  '%j says that its output could not be written',
  async (args) => {
    const child = spawn(process.execPath, [join(packageRoot, 'bin', 'densenet'), ...args], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    });
    let said = '';
    child.stderr!.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = await once(child, 'close');
    expect(said).toMatch(/^error: standard output .*no space left on device \(ENOSPC\)\n[^\n]+\n$/);
    expect(code).toBe(3);
  },
);

test('what a terminal would obey is shown, not obeyed, wherever it comes from', async () => {
  const folder = await temporaryFolder();
  const results = join(folder, 'results');
  const hostile = '\u001b]0;owned\u0007\u202e\u0085gnp';
  const shown = '\\u001b]0;owned\\u0007\\u202e\\u0085gnp';
  const made = await makeRun(results, 'quickstart', { status: 'failed', message: hostile });
  const environment = JSON.parse(await readFile(made.environment, 'utf8'));
  environment.cpu.model = hostile;
  await writeFile(made.environment, JSON.stringify(environment));
  await writeFile(join(folder, `${hostile}.yaml`), `name: "${hostile}"`);
  for (const args of [
    ['runs', 'list'],
    ['runs', 'list', '--format=csv'],
    ['runs', 'list', '--format=md'],
    ['runs', 'list', '--json'],
    ['runs', 'show', 'quickstart'],
    ['train', `--config=${hostile}.yaml`],
    ['train', `--resume=${hostile}`],
    ['train', `--${hostile}`],
  ]) {
    const { stdout, stderr } = await run(folder, args);
    expect(stdout + stderr, args.join(' ')).toContain(shown);
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  }
  const { stdout } = await run(folder, ['runs', 'list', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ problem: hostile }]);
});
