import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { notAnImage, twoClasses } from '../input/folder/support.js';
import { run, temporaryFolder } from '../program.js';

const CONFIG = `network: { depth: 9, growthRate: 4, blocks: [1, 2], stem: cifar, bottleneck: true, compression: 0.5 }
dataset: { name: folder, path: images }
training: { epochs: 4, batchSize: 2 }
`;

test('a run on a folder of images stops, moves with its folder, goes on, and is asked about images', async () => {
  const folder = await temporaryFolder();
  const env = { DENSENET_DATA: join(folder, 'data') };
  const densenet = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(folder, [...args, '--engine=native'], env);
    return { code, stderr, lines: stdout.trim().split('\n'), stdout };
  };
  await twoClasses(join(folder, 'images'));
  await writeFile(join(folder, 'own.yaml'), CONFIG);
  expect(await densenet('train', 'own.yaml', '--max-steps=4')).toMatchObject({ code: 75 });
  const [name] = await readdir(join(folder, 'results', 'runs', 'own'));
  const weights = () => readFile(join(folder, 'results/runs/own', name!, 'checkpoint/last.safetensors'));
  const environment = JSON.parse(
    await readFile(join(folder, 'results/runs/own', name!, 'environment.json'), 'utf8'),
  );
  const config = JSON.parse(await readFile(join(folder, 'results/runs/own', name!, 'config.json'), 'utf8'));
  expect(environment.dataset).toEqual({ name: 'folder', digest: config.dataset.contents.digest });

  await rename(join(folder, 'images'), join(folder, 'moved'));
  const gone = await densenet('train', '--resume=own');
  expect(gone.stderr).toContain('there is no folder');
  const moved = '--set=dataset.path=moved';
  expect((await densenet('train', '--resume=own', moved)).code).toBe(0);
  const parts = await weights();
  expect((await densenet('train', 'own.yaml', '--set=name=whole', moved)).code).toBe(0);
  const [whole] = await readdir(join(folder, 'results', 'runs', 'whole'));
  const other = await readFile(join(folder, 'results/runs/whole', whole!, 'checkpoint/last.safetensors'));
  expect(tensorBytes(other).equals(tensorBytes(parts))).toBe(true);

  const seen = await densenet('predict', 'own', join('moved', 'test', 'b'), '--json');
  expect(
    JSON.parse(seen.stdout)
      .images[0].classes.map((one: { name: string }) => one.name)
      .sort(),
  ).toEqual(['a', 'b']);
  const evaluated = await densenet('eval', 'own', '--json');
  expect(evaluated).toMatchObject({ code: 0 });
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ count: 4, classNames: ['a', 'b'] });
  expect((await densenet('sweep', '--config=own.yaml', moved)).stdout).toContain('finished before');

  await notAnImage(join(folder, 'moved', 'train', 'a', '0.png'));
  const refused = await densenet('train', 'own.yaml', moved);
  expect(refused).toMatchObject({ code: 3 });
  expect(refused.stderr).toMatch(/^error: 1 of 10 images in .* cannot be read: .*0\.png/m);
  expect((await densenet('eval', 'own', '--skip-bad-images')).stderr).toContain('have changed');
  const without = await densenet('train', 'own.yaml', moved, '--skip-bad-images', '--auto-resume');
  expect(without.stdout).toContain('Left out as unreadable: 1 image');
}, 120_000);

/** The file without its header, which holds a digest and the run's name. */
function tensorBytes(file: Buffer): Buffer {
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}
