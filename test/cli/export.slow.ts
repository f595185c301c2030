import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolder, definition } from '../../src/datasets/index.js';
import { decodeSafetensors } from '../../src/util/safetensors.js';
import { storeOf } from '../datasets/support/tiny.js';
import { runOnnx } from '../export/onnxruntime.js';
import { run, temporaryFolder } from '../program.js';
import { relativeError } from '../reference/compare.js';

const EXPERIMENT = 'smoke-fashion-mnist-mini';
const TRAIN = ['train', `--config=${EXPERIMENT}`, '--subset=320', '--engine=native', '--json'];
const COUNT = 16;

/** Logits that `eval` gives for the first test images, [COUNT, 10]. */
async function evaluated(folder: string, args: readonly string[]): Promise<number[]> {
  const common = ['--engine=native', `--subset=${COUNT}`, '--output=p.csv'];
  const { code } = await run(folder, ['eval', ...args, ...common]);
  expect(code).toBe(0);
  const lines = (await readFile(join(folder, 'p.csv'), 'utf8')).trim().split('\n').slice(1);
  expect(lines).toHaveLength(COUNT);
  return lines.flatMap((line) => line.split(',').slice(3).map(Number));
}

test('an exported run gives the same logits in ONNX Runtime and from its safetensors file', async () => {
  const folder = await temporaryFolder();
  const trained = JSON.parse((await run(folder, TRAIN)).stdout);
  const expected = await evaluated(folder, [EXPERIMENT]);

  const text = await run(folder, ['export', EXPERIMENT]);
  expect(text.stdout).toMatch(/^smoke-fashion-mnist-mini\.safetensors: DenseNet-BC .* as safetensors, /);
  const weights = `${EXPERIMENT}.safetensors`;
  expect(await evaluated(folder, [`--config=${EXPERIMENT}`, `--weights=${weights}`])).toEqual(expected);

  const json = await run(folder, ['export', EXPERIMENT, '--format=onnx', '--output=net.onnx', '--json']);
  const onnx = await readFile(join(folder, 'net.onnx'));
  expect(JSON.parse(json.stdout)).toEqual({
    file: 'net.onnx',
    format: 'onnx',
    bytes: onnx.length,
    network: 'DenseNet-BC (L=10, k=4)',
    weights: join(trained.run, 'checkpoint', 'last.safetensors'),
    trained: { epochs: trained.epochs, steps: 0 },
  });

  // Images are normalised as the metadata say, which both files have.
  const { metadata } = decodeSafetensors(await readFile(join(folder, weights)), weights);
  const { format, 'densenet.sha256': digest, ...about } = metadata;
  expect(format).toBe('pt');
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(about).toMatchObject({
    experiment: EXPERIMENT,
    dataset: 'fashion-mnist-mini',
    'densenet.epoch': `${trained.epochs}`,
  });
  for (const pair of Object.entries(about)) for (const text of pair) expect(onnx.includes(text)).toBe(true);
  const [mean] = JSON.parse(metadata.mean!);
  const [deviation] = JSON.parse(metadata.deviation!);
  expect(JSON.parse(metadata.classes!)).toHaveLength(10);
  const { test } = await storeOf(definition('fashion-mnist-mini')).load(dataFolder());
  const bytes = test.images.subarray(0, COUNT * 28 * 28);
  const images = Float32Array.from(bytes, (byte) => (byte - mean) / deviation);
  expect(relativeError(await runOnnx(onnx, images, [1, 28, 28]), expected)).toBeLessThan(1e-5);
});

test('weights from elsewhere are exported with their config; both or a run are needed', async () => {
  const folder = await temporaryFolder();
  await run(folder, TRAIN);
  const config = `--config=${EXPERIMENT}`;
  await run(folder, ['export', EXPERIMENT, '--checkpoint=best', '--output=best.safetensors']);
  await run(folder, ['export', EXPERIMENT, '--checkpoint=best', '--format=onnx', '--output=run.onnx']);
  const weights = ['--weights=best.safetensors', '--format=onnx', '--output=file.onnx'];
  expect((await run(folder, ['export', config, ...weights])).code).toBe(0);
  expect(await readFile(join(folder, 'file.onnx'))).toEqual(await readFile(join(folder, 'run.onnx')));

  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const [piped] = await Promise.all([
    readFile(join(folder, 'pipe')),
    run(folder, ['export', config, ...weights.slice(0, 2), '--output=pipe']),
  ]);
  expect(piped).toEqual(await readFile(join(folder, 'run.onnx')));

  const half = await run(folder, ['export', config]);
  expect(half.stderr).toMatch(/export needs either a run, or --config together with --weights/);
  expect(half.code).toBe(2);
  const format = await run(folder, ['export', EXPERIMENT, '--format=tflite']);
  expect(format.stderr).toMatch(/safetensors, onnx/);
  expect(format.code).toBe(2);
  const nowhere = await run(folder, ['export', EXPERIMENT, '--output=none/x.onnx']);
  expect(nowhere.stderr).toMatch(/cannot write none\/x\.onnx: no such file or directory \(ENOENT\)/);
  expect(nowhere.code).toBe(3);
});
