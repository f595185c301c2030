import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EpochRow } from '../../src/runs/epochs.js';
import { RunFolder } from '../../src/runs/run-folder.js';

let folder: RunFolder;
beforeEach(async () => {
  folder = new RunFolder(await mkdtemp(join(tmpdir(), 'densenet-epochs-')), 'a/b');
});
afterEach(() => rm(folder.path, { recursive: true }));

const row: EpochRow = {
  epoch: 1,
  learningRate: 0.1,
  trainLoss: 2.5,
  trainError: 60.25,
  testLoss: 2.25,
  testError: 55.5,
  seconds: 10,
  imagesPerSecond: 100,
};

it('epochs are read as they were written, with and without top-5 errors', async () => {
  const top5 = { validationLoss: 2, validationError: 50, validationTop5Error: 21.25, testTop5Error: 20.5 };
  const rows = [row, { ...row, epoch: 2, ...top5, waitPercent: 3.5 }];
  await folder.writeEpochs(rows);
  expect(folder.readEpochs()).toEqual(rows);
});

it('epochs of before there were top-5 errors are read too', async () => {
  const header =
    'epoch,learning_rate,train_loss,train_error,validation_loss,validation_error,test_loss,test_error,seconds,images_per_second';
  await writeFile(folder.epochs, `${header}\n1,0.1,2.5,60.25,,,2.25,55.5,10,100\n`);
  expect(folder.readEpochs()).toEqual([row]);
});

it.each(['garbage', ' ', '1.5x', 'NaN'])(
  'a value that is no number is damage, in any column: %j',
  async (value) => {
    await folder.writeEpochs([{ ...row, validationLoss: 2, testTop5Error: 20.5, waitPercent: 3.5 }]);
    const text = await readFile(folder.epochs, 'utf8');
    for (const [number, column] of [
      ['2.000000', 'validation_loss'],
      ['20.50', 'test_top5_error'],
      ['3.5\n', 'wait_percent'],
      ['2.250000', 'test_loss'],
    ] as const) {
      await writeFile(
        folder.epochs,
        text.replace(`,${number}`, number.endsWith('\n') ? `,${value}\n` : `,${value}`),
      );
      expect(() => folder.readEpochs()).toThrow(`it has no number in column ${column}`);
    }
  },
);
