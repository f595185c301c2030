import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { batches } from '../../src/input/batches.js';
import { loadExperimentData } from '../../src/training/data.js';
import { silent } from '../../src/util/reporter.js';
import { encodeSafetensors } from '../../src/util/safetensors.js';
import { MINI, writeMiniFolders } from '../datasets/support/imagenet-mini.js';
import { runOnnx } from '../export/onnxruntime.js';
import { publishedNetwork } from '../fixtures/pytorch/published.js';
import { run, temporaryFolder } from '../program.js';
import { relativeError } from '../reference/compare.js';

const CONFIG = 'imagenet-densenet-121';

test('DenseNet-121 with published names: eval on ImageNet, export, the same logits in ONNX Runtime', async () => {
  const folder = await temporaryFolder();
  await writeMiniFolders(join(folder, 'from'), 'flat');
  const fetched = await run(folder, ['data', 'fetch', 'imagenet', '--from=from', '--data=data']);
  expect(fetched.code, fetched.stderr).toBe(0);
  const dotted = (name: string) => name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2');
  const weights = [...publishedNetwork('densenet-121').weights];
  const published = new Map(weights.map(([name, tensor]) => [dotted(name), tensor]));
  await writeFile(join(folder, 'published.safetensors'), encodeSafetensors(published));

  const given = [`--config=${CONFIG}`, '--weights=published.safetensors'];
  const torchvision = [...given, '--set=dataset.resize=torchvision', '--data=data', '--engine=native'];
  const evaluated = await run(folder, ['eval', ...torchvision, '--output=p.csv', '--json']);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ experiment: CONFIG, count: MINI.test });
  const lines = (await readFile(join(folder, 'p.csv'), 'utf8')).trim().split('\n').slice(1);
  const logits = lines.flatMap((line) => line.split(',').slice(3).map(Number));
  expect(logits).toHaveLength(MINI.test * 1000);

  const exported = await run(folder, ['export', ...given, '--format=onnx', '--output=net.onnx']);
  expect(exported.code, exported.stderr).toBe(0);
  const experiment = await loadExperiment(CONFIG, { set: ['dataset.resize=torchvision'] });
  const data = await loadExperimentData(experiment, {
    folder: join(folder, 'data'),
    setup: false,
    reporter: silent,
  });
  try {
    const all = batches(data.splits.test, { batchSize: MINI.test });
    const { images } = (await all.next()).value!;
    // A copy: the images lie in memory shared by threads, which the runtime does not take.
    const onnx = await readFile(join(folder, 'net.onnx'));
    const found = await runOnnx(onnx, Float32Array.from(images), [3, 224, 224]);
    expect(relativeError(found, logits)).toBeLessThan(1e-5);
  } finally {
    await data.close();
  }

  const other = await run(folder, ['eval', '--config=imagenet-densenet-169', given[1]!, '--data=data']);
  expect(other.stderr).toContain(
    "weights of DenseNet-121: its dense block 3 has 24 layers, the config's 32;",
  );
  expect(other.code).toBe(3);
});
