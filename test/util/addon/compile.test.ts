import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { compile } from '../../../src/util/addon/compile.js';
import { temporaryFolder } from '../../program.js';

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 2,
}));

/** Complains of bad.cc; writes the object of slow.cc a while after that. Its last words are `-c SOURCE -o OBJECT`. */
const COMPILER = `#!/bin/bash
cd "$(dirname "$0")"
source=\${@: -3:1}
echo "$source" >> started
if [ "$source" = bad.cc ]; then touch failed; echo "bad.cc:1: error: no such thing" >&2; exit 1; fi
until [ -e failed ]; do sleep 0.01; done
sleep 0.1
touch "\${@: -1}"`;

test('a compiler that fails is reported once all others have ended, and no more are started', async () => {
  const folder = await temporaryFolder();
  const command = join(folder, 'compiler');
  await writeFile(command, COMPILER, { mode: 0o755 });
  const compiled = compile({
    addon: {
      title: 'the part',
      compiler: { name: 'a compiler', variable: 'CXX', remedy: '' },
      otherwise: 'do without',
    },
    compiler: { command, version: '1' },
    sources: ['bad.cc', 'slow.cc', 'never.cc'],
    includes: [],
    folder,
    output: join(folder, 'part.node'),
    signal: undefined,
  });
  await expect(compiled).rejects.toMatchObject({
    kind: 'engine',
    message: `${command} cannot compile the part: bad.cc:1: error: no such thing`,
  });
  expect((await readdir(folder)).sort()).toEqual(['1-slow.cc.o', 'compiler', 'failed', 'started']);
});
