import { expect } from 'vitest';
import { run, temporaryFolder } from '../program.js';

/** Trains the quickstart as a person does: fewer than a quarter of the test images are wrong in the end. */
export async function expectQuickstart(seed: number): Promise<void> {
  const args = ['train', '--config=quickstart', `--seed=${seed}`, '--engine=native', '--json'];
  const { code, stdout, stderr } = await run(await temporaryFolder(), args);
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ status: 'finished', last: { epoch: 8 } });
  expect(result.last.error).toBeLessThan(25);
}
