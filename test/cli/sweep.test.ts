import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../program.js';

test('sweep --status only reads: it makes no folder of results, and no tables', async () => {
  const folder = await temporaryFolder();
  const { code, stdout } = await run(folder, ['sweep', '--config=quickstart', '--status', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ experiment: 'quickstart', status: 'not started' }]);
  expect(await readdir(folder)).toEqual([]);
});
