import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { packageVersion } from '../../src/util/package.js';
import { run, temporaryFolder } from '../program.js';

test('--version has the version alone in its first line, then the engines, and sets nothing up', async () => {
  const here = await run(await temporaryFolder(), ['--version']);
  const [version, native, ...rest] = here.stdout.split('\n');
  expect([here.code, version]).toEqual([0, packageVersion]);
  expect(native).toMatch(/^native engine: \S.* \d+\.\d+/);
  expect(rest).toEqual([expect.stringMatching(/^TensorFlow: (\d+\.\d+\.\d+|not set up)$/), '']);

  const cache = await temporaryFolder();
  const bare = await run(cache, ['-V'], { XDG_CACHE_HOME: cache });
  expect(bare.stdout).toMatch(/^\S+\nnative engine: not built yet, .*\nTensorFlow: not set up\n$/);
  expect(await readdir(cache)).toEqual([]);
});
