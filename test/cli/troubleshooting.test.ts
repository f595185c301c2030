import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { run, temporaryFolder } from '../program.js';

const SMOKE = ['train', '--config=smoke-fashion-mnist-mini', '--subset=8'];

const TOO_OLD = `#!/bin/sh
[ "$1" = --version ] && echo 'g++ (GCC) 4.8' && exit
echo "error: unrecognized command line option '-std=c++17'" >&2
exit 1
`;

test.each([
  ['there is no compiler', SMOKE, {}],
  ['the compiler is too old', SMOKE, { CXX: 'too-old' }],
  ['nothing may be built', [...SMOKE, '--no-setup'], {}],
  ['there is no pip', ['setup', 'tensorflow'], { CXX: 'too-old' }],
])('docs/troubleshooting.md quotes what is printed where %s', async (_, args, more) => {
  const folder = await temporaryFolder();
  const PATH = join(folder, 'bin');
  await mkdir(PATH);
  await writeFile(join(PATH, 'too-old'), TOO_OLD, { mode: 0o755 });
  const { code, stderr } = await run(folder, args, { PATH, XDG_CACHE_HOME: folder, CXX: '', ...more });
  expect(code, stderr).toBe(4);
  expect(
    (await quotations()).some((quotation) => quotation.test(stderr)),
    stderr,
  ).toBe(true);
});

/** The messages of docs/troubleshooting.md; `…` stands for what differs from machine to machine. */
async function quotations(): Promise<RegExp[]> {
  const text = await readFile(join(packageRoot, 'docs', 'troubleshooting.md'), 'utf8');
  return [...text.matchAll(/^```text\n(.*?)\n```$/gms)].map(([, quotation]) => {
    const plain = quotation!.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${plain.replaceAll('…', '.+')}$`, 'm');
  });
}
