import { afterEach, expect, test, vi } from 'vitest';
import { severalProcesses } from '../../src/cli/together.js';
import { ALONE, type Group } from '../../src/mpi/group.js';
import type { withGroup } from '../../src/mpi/join.js';
import { silent } from '../../src/util/reporter.js';

/** The second of two processes, the first of which ends with 0. */
const second: Group = { ...ALONE, rank: 1, size: 2, share: async <T>() => 0 as T };

vi.mock('../../src/mpi/join.js', () => ({
  withGroup: (async (_here, _options, use) => {
    await use(second, { warn: () => {}, lost: () => undefined });
    // SIGTERM while it waits for the others.
    process.exitCode = 143;
  }) satisfies typeof withGroup,
}));

afterEach(() => {
  process.exitCode = undefined;
});

test('a process ends with the exit code of the first, whatever signal came when all was done', async () => {
  const here = { rank: 1, size: 2, localRank: 1 };
  await severalProcesses(here, { setup: false, reporter: silent, notice: '' }, async () => {
    process.exitCode = 75;
  });
  expect(process.exitCode).toBe(0);
});
