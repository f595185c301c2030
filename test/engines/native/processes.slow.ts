import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleNetwork } from '../../reference/examples.js';
import { residualNetwork } from '../../reference/residual-examples.js';
import { trainInChild } from './support/child.js';

const network = exampleNetwork({
  channels: 3,
  height: 16,
  width: 16,
  classes: 10,
  stem: 'small',
  stemChannels: 16,
  blocks: [3, 3],
  growthRate: 8,
  bottleneck: true,
  compression: 0.5,
  dropout: 0.1,
});

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'densenet-native-'));
});
afterAll(() => rm(cache, { recursive: true }));

const residual = residualNetwork({
  channels: 3,
  height: 15,
  width: 16,
  classes: 10,
  stem: 'small',
  stemChannels: 4,
  units: [2, 2],
  innerChannels: 8,
  expansion: 2,
  block: 'bottleneck',
  activation: 'post',
  shortcut: 'projection',
  dropout: 0.1,
  survival: 0.8,
});

test.each([
  ['dense', network],
  ['residual', residual],
])(
  '50 steps of a %s network end in the same bits with 1, 2, 3 and 7 threads, and in another process',
  async (_, of) => {
    const digests: (string | undefined)[] = [];
    for (const threads of [1, 2, 3, 7, 2]) {
      digests.push((await trainInChild({ network: of, threads, steps: 50 })).digest);
    }
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(digests).size).toBe(1);
  },
);

describe('the first use', () => {
  test('without a compiler says what to install', async () => {
    const { error } = await trainInChild(
      { network, threads: 1, steps: 1 },
      { XDG_CACHE_HOME: cache, PATH: cache, CXX: '' },
    );
    expect(error).toMatchObject({ name: 'UserError', kind: 'engine' });
    expect(error!.message).toContain('C++ compiler');
    expect(error!.remedy).toMatch(/apt-get install g\+\+.*--engine tensorflow/);
  });

  test('with a compiler that fails shows its complaint', async () => {
    const { error } = await trainInChild(
      { network, threads: 1, steps: 1 },
      { XDG_CACHE_HOME: cache, CXX: process.execPath },
    );
    expect(error).toMatchObject({ name: 'UserError', kind: 'engine' });
    expect(error!.message).toContain('cannot compile the native engine');
    expect(await readdir(join(cache, 'densenet', 'native'))).toEqual([]);
  });

  test('is refused where setting up is', async () => {
    const { error } = await trainInChild(
      { network, threads: 1, steps: 1, setup: false },
      { XDG_CACHE_HOME: cache },
    );
    expect(error).toMatchObject({ name: 'UserError', kind: 'engine' });
    expect(error!.message).toContain('--no-setup');
  });
});
