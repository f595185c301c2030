import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { dataFolder } from '../../src/datasets/index.js';
import { readSweepFile } from '../../src/sweep/definition.js';
import { cacheFolder } from '../../src/util/cache.js';
import { atHome } from '../../src/util/home.js';
import { temporaryFolder } from '../program.js';

let home: string;
beforeEach(async () => {
  home = await temporaryFolder();
  vi.stubEnv('HOME', home);
});
afterEach(() => vi.unstubAllEnvs());

test('~ is the home folder at the beginning of a path only', () => {
  expect(['~', '~/a/b'].map(atHome)).toEqual([home, join(home, 'a', 'b')]);
  for (const other of ['', 'a', '/~', '~a/b', 'a/~/b']) expect(atHome(other)).toBe(other);
});

test('variables of the environment may name folders from ~ on', () => {
  vi.stubEnv('DENSENET_DATA', '~/data');
  expect(dataFolder()).toBe(join(home, 'data'));
  expect(dataFolder('~/other')).toBe(join(home, 'other'));
  expect(cacheFolder('x', { XDG_CACHE_HOME: '~/cache' })).toBe(join(home, 'cache', 'densenet', 'x'));
});

test('configs, settings and sweep files too', async () => {
  const elsewhere = await temporaryFolder();
  const dataset = { name: 'folder', path: '~/photos', testFraction: 0.5, classes: ['a', 'b'], size: 8 };
  await mkdir(join(home, 'configs'));
  await writeFile(join(home, 'configs', 'own.json'), JSON.stringify({ extends: 'quickstart', dataset }));
  await writeFile(join(elsewhere, 'own.json'), JSON.stringify({ extends: '~/configs/own.json' }));
  const load = (...set: string[]) => loadExperiment(join(elsewhere, 'own.json'), { set });
  expect((await load()).dataset.path).toBe(join(home, 'photos'));
  expect((await load('dataset.path=~/others')).dataset.path).toBe(join(home, 'others'));
  await writeFile(join(elsewhere, 'sweep.json'), JSON.stringify({ configs: ['~/configs/own.json'] }));
  const { configs } = await readSweepFile(join(elsewhere, 'sweep.json'));
  expect(configs).toEqual([{ config: join(home, 'configs', 'own.json'), set: [] }]);
});
