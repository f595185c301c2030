import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { run, temporaryFolder } from '../program.js';

test('the commands of the README run as pasted', async () => {
  const text = await readFile(join(packageRoot, 'README.md'), 'utf8');
  const commands = [...text.matchAll(/^npx densenet ([^#\n]*)#.*$/gm)].map(([, command]) => command!.trim());
  expect(commands).toHaveLength(11);
  const folder = await temporaryFolder();
  for (const command of commands) {
    // It lasts until Ctrl-C, and has tests of its own.
    if (command === 'watch') continue;
    // Another test trains the quickstart in full.
    const short = command === 'train --config quickstart' ? ' --subset 32 --set training.epochs=1' : '';
    const { code, stderr } = await run(folder, `${command}${short}`.split(/\s+/));
    expect(code, `${command}\n${stderr}`).toBe(0);
  }
}, 300_000);
