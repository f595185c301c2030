import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../program.js';

test.each([1, 2, 3])(
  'the quickstart learns with seed %i: fewer than a quarter of the test images are wrong',
  async (seed) => {
    const folder = await temporaryFolder();
    const args = ['train', '--config=quickstart', `--seed=${seed}`, '--engine=native', '--json'];
    const { code, stdout, stderr } = await run(folder, args);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'finished', last: { epoch: 8 } });
    expect(JSON.parse(stdout).last.error).toBeLessThan(25);
  },
  600_000,
);
