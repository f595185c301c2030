import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { networkOf } from '../../src/training/model.js';
import { packageRoot } from '../../src/util/package.js';
import { encodeSafetensors } from '../../src/util/safetensors.js';
import { run, startProcess, temporaryFolder } from '../program.js';
import { encodeNpz } from './npz-writer.js';

const TRAIN = ['train', '--config=smoke-fashion-mnist-mini', '--subset=320', '--engine=native', '--json'];

test('eval finds the error that training reported, per class and image by image', async () => {
  const folder = await temporaryFolder();
  const trained = JSON.parse((await run(folder, TRAIN)).stdout);
  const evaluate = ['eval', 'smoke-fashion-mnist-mini', '--engine=native'];
  const text = await run(folder, evaluate);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain(`test error ${trained.last.error.toFixed(2)} %`);
  expect(text.stdout).toMatch(/Ankle boot +\d+ +\d+ +\d+\.\d\d %/);

  const nowhere = await run(folder, [...evaluate, '--output=none/predictions.csv']);
  expect(nowhere.code).toBe(3);
  expect(nowhere.stderr).toContain('cannot write none/predictions.csv: no such file or directory (ENOENT)');
  expect(nowhere.stdout).toBe('');

  const file = join(folder, 'predictions.csv');
  const outputs = [`--output=${file}`, `--confusion=${join(folder, 'confusion.csv')}`];
  const evaluation = JSON.parse((await run(folder, [...evaluate, '--json', ...outputs])).stdout);
  expect(evaluation.error).toBe(trained.last.error);
  expect(evaluation.count).toBe(320);
  const [header, ...rows] = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  expect(header!.slice(0, 4)).toEqual(['index', 'label', 'predicted', 'logit_0']);
  expect(rows).toHaveLength(320);
  const wrong = rows.filter(([, label, predicted]) => label !== predicted).length;
  expect((100 * wrong) / 320).toBe(evaluation.error);
  for (const row of rows) {
    const logits = row.slice(3).map(Number);
    expect(logits.indexOf(Math.max(...logits))).toBe(Number(row[2]));
  }

  const matrix: string[][] = parse(await readFile(join(folder, 'confusion.csv'), 'utf8'));
  expect(matrix[0]).toEqual(['label', ...matrix.slice(1).map(([name]) => name)]);
  for (let label = 0; label < 10; label++) {
    const own = rows.filter((row) => Number(row[1]) === label);
    const counts = matrix.slice(1).map((_, c) => own.filter((row) => Number(row[2]) === c).length);
    expect(matrix[label + 1]!.slice(1).map(Number)).toEqual(counts);
    const recall = own.length > 0 ? expect.closeTo(counts[label]! / own.length, 12) : undefined;
    expect(evaluation.classes[label]).toMatchObject({ count: own.length, ...(recall && { recall }) });
  }
  expect(evaluation.calibration.error).toBeGreaterThan(0);

  const kept = JSON.parse(await readFile(join(folder, trained.run, 'evaluation.json'), 'utf8'));
  expect(kept).toMatchObject({ epoch: 1, count: 320, error: trained.last.error });
  expect(kept.confusion).toContainEqual([0, 0, Number(matrix[1]![1])]);
  const surest = rows
    .filter(([, label, predicted]) => label !== predicted)
    .map(([index, , predicted, ...logits]) => {
      const sum = logits.reduce((all, logit) => all + Math.exp(Number(logit)), 0);
      return { name: `image ${index}`, confidence: Math.exp(Number(logits[Number(predicted)])) / sum };
    })
    .sort((a, b) => b.confidence - a.confidence);
  expect(kept.mistakes).toHaveLength(12);
  expect(kept.mistakes[0].name).toBe(surest[0]!.name);
  expect(kept.mistakes[11].confidence).toBeCloseTo(surest[11]!.confidence, 5);
  const picture = Buffer.from(kept.mistakes[0].picture.split(',')[1], 'base64');
  expect(await sharp(picture).metadata()).toMatchObject({ format: 'png', width: 28, height: 28 });
});

test('eval takes weights from a file, with their config', async () => {
  const folder = await temporaryFolder();
  const trained = JSON.parse((await run(folder, TRAIN)).stdout);
  const weights = join(folder, trained.run, 'checkpoint', 'best.safetensors');
  const args = ['eval', '--config=smoke-fashion-mnist-mini', `--weights=${weights}`, '--engine=native'];
  const evaluation = JSON.parse((await run(folder, [...args, '--subset=320', '--json'])).stdout);
  expect(evaluation.error).toBe(trained.best.error);
  const onTrain = JSON.parse((await run(folder, [...args, '--subset=64', '--split=train', '--json'])).stdout);
  expect(onTrain).toMatchObject({ split: 'train', count: 64 });
  const none = await run(folder, [...args, '--split=validation']);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain('no images out for validation');
});

/** As torchvision's published files name tensors, wrapped by DataParallel, without counts of batches. */
function publishedName(name: string): string {
  return `module.${name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2')}`;
}

test("torchvision's published names, a wrapper's prefix and NumPy's archives give the same error", async () => {
  const folder = await temporaryFolder();
  const network = networkOf(await loadExperiment('smoke-fashion-mnist-mini'));
  const weights = initialValues(network, 3);
  const published = new Map([...weights].map(([name, tensor]) => [publishedName(name), tensor]));
  await writeFile(join(folder, 'own.safetensors'), weightsFile(network, weights));
  await writeFile(join(folder, 'published.safetensors'), encodeSafetensors(published));
  await writeFile(join(folder, 'published.npz'), encodeNpz(published));
  const args = ['eval', '--config=smoke-fashion-mnist-mini', '--subset=32', '--engine=native', '--json'];
  const evaluate = async (file: string) => {
    const { code, stdout } = await run(folder, [...args, `--weights=${file}`]);
    expect(code).toBe(0);
    return { ...JSON.parse(stdout), weights: undefined };
  };
  const own = await evaluate('own.safetensors');
  expect(own.count).toBe(32);
  expect(await evaluate('published.safetensors')).toEqual(own);
  expect(await evaluate('published.npz')).toEqual(own);
});

test('weights of another network are refused, and said which network they are of', async () => {
  const folder = await temporaryFolder();
  const other = networkOf(
    await loadExperiment('smoke-fashion-mnist-mini', { set: ['network.growthRate=5'] }),
  );
  await writeFile(join(folder, 'other.safetensors'), weightsFile(other, initialValues(other, 1)));
  const args = ['eval', '--config=smoke-fashion-mnist-mini', '--weights=other.safetensors'];
  const { code, stderr } = await run(folder, args);
  expect(stderr).toMatch(/other\.safetensors: .*growth rate is 5, .* of the wrong shape \(/);
  expect(code).toBe(3);
});

test('a confusion matrix on standard output is alone there, and shares no file with the predictions', async () => {
  const folder = await temporaryFolder();
  const network = networkOf(await loadExperiment('smoke-fashion-mnist-mini'));
  await writeFile(join(folder, 'w.safetensors'), weightsFile(network, initialValues(network, 1)));
  const args = ['eval', '--config=smoke-fashion-mnist-mini', '--weights=w.safetensors', '--subset=8'];
  const script = '"$@" --engine=native --confusion=/dev/stdout | cat > confusion.csv';
  const program = [process.execPath, join(packageRoot, 'bin', 'densenet'), ...args];
  const { stderr } = await startProcess(folder, 'bash', ['-c', script, 'bash', ...program]).ended;
  expect(stderr).toMatch(/test error \d+\.\d\d %/);
  const matrix: string[][] = parse(await readFile(join(folder, 'confusion.csv'), 'utf8'));
  expect(matrix).toHaveLength(11);
  const both = await run(folder, [...args, '--output=/dev/stdout', '--confusion=/dev/fd/1']);
  expect(both.stderr).toBe(
    'error: --output and --confusion both write to /dev/stdout\nGive each a file of its own.\n',
  );
  expect(both).toMatchObject({ code: 2, stdout: '' });
});

test('--ten-crop is refused where it makes no sense, before anything is loaded', async () => {
  const folder = await temporaryFolder();
  const weights = join(folder, 'none.safetensors');
  const args = ['eval', '--config=cifar10-40-12', `--weights=${weights}`, '--ten-crop', '--engine=native'];
  const { code, stderr } = await run(folder, args, { DENSENET_DATA: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: CIFAR-10 has no ten crops: .*\nLeave out --ten-crop/);
});

test('weights that give no finite numbers are refused, not scored', async () => {
  const folder = await temporaryFolder();
  const network = networkOf(await loadExperiment('smoke-fashion-mnist-mini'));
  const weights = initialValues(network, 1);
  weights.get('classifier.bias')!.data.fill(Number.NaN);
  const file = join(folder, 'damaged.safetensors');
  await writeFile(file, weightsFile(network, weights));
  const args = ['eval', '--config=smoke-fashion-mnist-mini', `--weights=${file}`, '--subset=8'];
  const { code, stderr } = await run(folder, [...args, '--engine=native']);
  expect(stderr).toMatch(/damaged\.safetensors: .*not finite/);
  expect(code).toBe(3);
});
