import { expect, test } from 'vitest';
import type { MpiBinding } from '../../src/mpi/binding.js';
import { type Loss, Processes } from '../../src/mpi/processes.js';
import { silent } from '../../src/util/reporter.js';

test('processes that wait in vain for others to come hear of it', async () => {
  const never = new Promise<never>(() => {});
  const binding: Partial<MpiBinding> = { join: () => never };
  const loss = await new Promise<Loss>((onLost) => {
    const here = { rank: 1, size: 4, localRank: 0 };
    void Processes.join(binding as MpiBinding, here, { reporter: silent, onLost, patience: 1 });
  });
  expect(loss.speaks).toBe(true);
  expect(loss.error).toMatchObject({
    exitCode: 4,
    message: expect.stringMatching(/^4 processes were started, and some have not come within /),
    remedy: expect.stringContaining('--kill-on-bad-exit'),
  });
});
