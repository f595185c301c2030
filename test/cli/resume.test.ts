import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownerName } from '../../src/util/owner.js';
import { bits, run, start, temporaryFolder } from '../program.js';

const TRAIN = [
  'train',
  'smoke-fashion-mnist-mini',
  '--subset=320',
  '--set=training.batchSize=32',
  '--set=training.epochs=3',
  '--engine=native',
  '--threads=1',
];
const RESUME = ['train', '--resume=smoke-fashion-mnist-mini', '--threads=1'];

async function onlyRun(folder: string, results = 'results'): Promise<string> {
  const experiment = join(folder, results, 'runs', 'smoke-fashion-mnist-mini');
  const runs = await readdir(experiment);
  expect(runs).toHaveLength(1);
  return join(experiment, runs[0]!);
}

async function killedAfter(pattern: RegExp, args: readonly string[] = []): Promise<string> {
  const folder = await temporaryFolder();
  const running = start(folder, [...TRAIN, ...args]);
  await running.seen(pattern);
  running.process.kill('SIGKILL');
  await running.ended;
  return folder;
}

/** Flips one bit of the last tensor. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 9]! ^= 4;
  await writeFile(file, bytes);
}

let expected: ReturnType<typeof bits> | undefined;

/** What every run of TRAIN must come to. */
function expectedBits(): ReturnType<typeof bits> {
  expected ??= temporaryFolder().then(async (folder) => {
    expect((await run(folder, TRAIN)).code).toBe(0);
    return bits(await onlyRun(folder));
  });
  return expected;
}

test('a damaged last checkpoint is refused by eval and export, and costs a resumed run one epoch', async () => {
  const folder = await killedAfter(/epoch 2\/3 ·/);
  const path = await onlyRun(folder);
  await damage(join(path, 'checkpoint', 'last.safetensors'));
  for (const command of ['eval', 'export']) {
    const { code, stderr } = await run(folder, [command, 'smoke-fashion-mnist-mini']);
    expect(stderr).toMatch(/^error: .*last\.safetensors: it is damaged.*\n.*\n$/);
    expect(code).toBe(3);
  }
  await writeFile(join(path, 'environment.json'), '{');
  const resumed = await run(folder, RESUME);
  expect(resumed.stderr).toMatch(/environment\.json.*\n.*is resumed from the checkpoint before it\n$/);
  expect(resumed.code).toBe(0);
  expect(await bits(path)).toEqual(await expectedBits());
  expect(JSON.parse(await readFile(join(path, 'environment.json'), 'utf8'))).toMatchObject({ resumed: [] });
});

test('a finished run has its tables, whenever it was killed; one whose last weights are damaged repeats its last epoch', async () => {
  const folder = await temporaryFolder();
  expect((await run(folder, TRAIN)).code).toBe(0);
  const path = await onlyRun(folder);
  const results = join(folder, 'results');
  await rm(join(results, 'test-error.csv'));
  await writeFile(
    join(results, 'test-error.csv.1.1@elsewhere.1.tmp'),
    'of a living process, as far as one can see',
  );
  await writeFile(
    join(results, `test-error.csv.${ownerName(process.pid).replace(/\.\d+@/, '.1@')}.1.tmp`),
    '',
  );
  expect((await run(folder, RESUME)).stderr).toContain('is finished');
  expect((await readdir(results)).sort()).toEqual([
    'parameter-count.csv',
    'runs',
    'test-error.csv',
    'test-error.csv.1.1@elsewhere.1.tmp',
  ]);
  await damage(join(path, 'checkpoint', 'last.safetensors'));
  await writeFile(join(path, 'result.json'), '\0\0\0');
  expect((await run(folder, RESUME)).code).toBe(0);
  expect(await bits(path)).toEqual(await expectedBits());
  expect(JSON.parse(await readFile(join(path, 'result.json'), 'utf8')).subset).toBe(320);
});

test('a killed run shows its epochs, and weights of no epoch are said to be untrained', async () => {
  const folder = await killedAfter(/epoch 2\/3 ·/);
  const listed = JSON.parse((await run(folder, ['runs', 'list', '--json'])).stdout);
  expect(listed).toMatchObject([{ status: 'killed', epochs: 2, test_error: expect.any(Number) }]);

  const early = await killedAfter(/Run folder/, ['--subset=5000']);
  for (const args of [['eval'], ['export'], ['figure', '5'], ['report']]) {
    const { code, stderr } = await run(early, [...args, 'smoke-fashion-mnist-mini']);
    expect(stderr, args[0]).toMatch(/^warning: .*last\.safetensors holds no trained weights/);
    expect(code).toBe(0);
  }
  // The exported file says so too.
  const exported = ['--config=smoke-fashion-mnist-mini', '--weights=smoke-fashion-mnist-mini.safetensors'];
  const { stdout, stderr } = await run(early, ['eval', ...exported, '--subset=8', '--json']);
  expect(stderr).toMatch(/^warning: .*mini\.safetensors holds no trained weights/m);
  expect(JSON.parse(stdout)).toMatchObject({ trained: { epochs: 0 } });
});

test('the line that says how to go on can be pasted, and the tables beside the run are refreshed', async () => {
  const folder = await temporaryFolder();
  const running = start(folder, [...TRAIN, "--results=out of here's"]);
  await running.seen(/epoch 1\/3 ·/);
  running.process.kill('SIGINT');
  const { stdout } = await running.ended;
  const command = /Resume with: (.*)/.exec(stdout)![1]!;
  expect(execFileSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' })).toContain('Done in');
  const path = await onlyRun(folder, "out of here's");
  expect(await bits(path)).toEqual(await expectedBits());
  expect((await readdir(join(folder, "out of here's"))).sort()).toEqual([
    'parameter-count.csv',
    'runs',
    'test-error.csv',
  ]);
  expect(await readdir(folder)).toEqual(["out of here's"]);
});

test('--resume EXPERIMENT takes the newest run that can go on, and --take-over one of a process elsewhere', async () => {
  const folder = await killedAfter(/epoch 1\/3 ·/);
  const path = await onlyRun(folder);
  expect((await run(folder, [...TRAIN, '--seed=2'])).code).toBe(0);
  const result = join(path, 'result.json');
  const stored = JSON.parse(await readFile(result, 'utf8'));
  await writeFile(result, JSON.stringify({ ...stored, process: { ...stored.process, host: 'elsewhere' } }));
  const refused = await run(folder, ['train', '--resume', path]);
  expect(refused.stderr).toMatch(/may still be trained by process \d+ on elsewhere.*\n.*--take-over/);
  expect(refused.code).toBe(2);
  expect((await run(folder, [...RESUME, '--take-over'])).code).toBe(0);
  expect(await bits(path)).toEqual(await expectedBits());
});

test.each([
  [['--epochs=3'], '--set training.epochs=3'],
  [['--batch-size', '8'], '--set training.batchSize=8'],
  [['--lr=0.5'], '--set training.learningRate.initial=0.5'],
  [['--name=mine'], '--set name=mine'],
])('%s is answered with the --set that does it', async (args, answer) => {
  const { code, stderr } = await run(await temporaryFolder(), ['train', 'quickstart', ...args]);
  expect(stderr).toContain(answer);
  expect(code).toBe(2);
});

test('an unknown run is answered with the nearest name; two configs are refused', async () => {
  const folder = await temporaryFolder();
  expect((await run(folder, [...TRAIN, '--set=training.epochs=1', '--quiet'])).code).toBe(0);
  const unknown = await run(folder, ['train', '--resume=smoke-fashion-mnist-min']);
  expect(unknown.stderr).toContain("Did you mean 'smoke-fashion-mnist-mini'?");
  const two = await run(folder, ['train', 'quickstart', '--config=smoke-cifar10']);
  expect(two.stderr).toContain('two configs are given');
  expect([unknown.code, two.code]).toEqual([2, 2]);
  await rm(join(folder, 'results'), { recursive: true });
});
