import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CheckSection } from '../../src/doctor/checks.js';
import { run, temporaryFolder } from '../program.js';

test('doctor notices where it cannot write, and leaves nothing where it can', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), '');
  const places = ['--results=file/results', '--data=/proc/densenet/data'];
  const { code, stdout } = await run(folder, ['doctor', ...places, '--json'], { XDG_CACHE_HOME: folder });
  expect(code).toBe(0);
  const sections = (JSON.parse(stdout) as { sections: CheckSection[] }).sections;
  expect(sections.find(({ title }) => title === 'Disk')!.checks).toMatchObject([
    { name: 'data', ok: false, found: expect.stringMatching(/cannot be written: .*\(ENOENT\)/) },
    {
      name: 'results',
      ok: false,
      found: expect.stringMatching(/cannot be written: .*\(ENOTDIR\)/),
      remedy: 'Give yourself permission, or choose another folder with --results.',
    },
    { name: 'cache', found: expect.stringMatching(/ free for /) },
  ]);
  expect(await readdir(folder)).toEqual(['file']);
});
