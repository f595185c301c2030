import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../program.js';
import { exampleNetwork } from '../../reference/examples.js';
import { trainInChild } from './support/child.js';

test('the engine is built once, also where two processes start at once; then it needs no compiler', async () => {
  const cache = await temporaryFolder();
  const environment = { XDG_CACHE_HOME: cache };
  const network = exampleNetwork({
    channels: 3,
    height: 8,
    width: 8,
    classes: 10,
    stem: 'small',
    stemChannels: 16,
    blocks: [2],
    growthRate: 8,
    bottleneck: true,
    compression: 0.5,
    dropout: 0,
  });
  const request = { network, threads: 2, steps: 2 };
  const both = await Promise.all([trainInChild(request, environment), trainInChild(request, environment)]);
  expect(both[0].digest).toMatch(/^[0-9a-f]{64}$/);
  expect(both[1].digest).toBe(both[0].digest);
  for (const { lines } of both) expect(lines.join('\n')).toMatch(/^Building the native engine .*$/);
  expect(await readdir(join(cache, 'densenet', 'native'))).toHaveLength(1);

  const later = await trainInChild(request, { ...environment, PATH: cache, CXX: '' });
  expect(later).toEqual({ digest: both[0].digest, lines: [] });
}, 600_000);
