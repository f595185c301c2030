import { isAbsolute } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { cacheFolder } from '../../src/util/cache.js';

afterEach(() => vi.unstubAllEnvs());

test.each(['', 'relative'])('a HOME of "%s" does not put the cache into the current folder', (home) => {
  vi.stubEnv('HOME', home);
  expect(isAbsolute(cacheFolder('x', { XDG_CACHE_HOME: 'relative' }))).toBe(true);
});
