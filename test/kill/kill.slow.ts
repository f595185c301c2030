import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { startNode, temporaryFolder } from '../program.js';

test('training that is killed at random moments comes to the same bits, and leaves no stray file', async () => {
  const script = join(packageRoot, 'test', 'kill', 'kill.mjs');
  const ended = await startNode(await temporaryFolder(), [script, '--rounds=4']).ended;
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toMatch(/4 rounds, \d+ kills: 4 came to the same bits, 0 did not\n$/);
  expect(ended.code).toBe(0);
});
