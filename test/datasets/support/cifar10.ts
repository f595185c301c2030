import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noise } from './tiny.js';

/** The six files of CIFAR-10 in their full size: 60,000 images of noise, whose labels go round. */
export async function writeCifar10(folder: string, name = 'cifar10'): Promise<void> {
  await mkdir(folder, { recursive: true });
  const batch = noise(name, 10_000 * 3073);
  for (let i = 0; i < 10_000; i++) batch[i * 3073] = i % 10;
  const first = join(folder, 'test_batch.bin');
  await writeFile(first, batch);
  for (const number of [1, 2, 3, 4, 5]) await link(first, join(folder, `data_batch_${number}.bin`));
}
