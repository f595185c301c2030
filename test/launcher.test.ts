import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';
import { startNode, temporaryFolder } from './program.js';

/** A clone that has never been compiled. */
async function clone(): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['bin', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    await cp(join(packageRoot, name), join(folder, name), { recursive: true });
  }
  await mkdir(join(folder, 'src', 'cli'), { recursive: true });
  await writeFile(join(folder, 'src', 'cli', 'main.ts'), 'export const main = () => 0;');
  return folder;
}

test('a clone without its dependencies says how to install them', async () => {
  const folder = await clone();
  const { code, stderr } = await startNode(folder, ['bin/densenet', 'doctor']).ended;
  expect(code).toBe(4);
  expect(stderr).toBe(
    `error: dist/ is not compiled from the present source, and the TypeScript compiler is not installed\nRun npm ci in ${folder}\n`,
  );
});

test('a clone that is read-only says that it cannot be compiled', async () => {
  const folder = await clone();
  const compiler = join(folder, 'node_modules', 'typescript', 'bin');
  await mkdir(compiler, { recursive: true });
  await writeFile(join(compiler, 'tsc'), '');
  await chmod(folder, 0o555);
  // To root nothing is read-only.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const options = { cwd: folder, encoding: 'utf8', ...nobody } as const;
  const { status, stderr } = spawnSync(process.execPath, ['bin/densenet', 'doctor'], options);
  await chmod(folder, 0o755);
  expect(status).toBe(4);
  expect(stderr).toMatch(
    /^error: dist\/ is not compiled from the present source, and cannot be: EACCES: .*\nRun npm run build in .*\n$/,
  );
});

test('what killed processes left while they compiled is removed, and stops nobody', async () => {
  const folder = await clone();
  // What stands for the compiler ends the launcher that has started it, as a cut of power would.
  const compiler = join(folder, 'node_modules', 'typescript', 'bin');
  await mkdir(compiler, { recursive: true });
  await writeFile(join(compiler, 'tsc'), 'process.kill(process.ppid, "SIGKILL")');
  const left = async () => (await readdir(folder)).filter((name) => name.startsWith('dist.new-'));
  expect((await startNode(folder, ['bin/densenet', 'doctor']).ended).code).toBe('SIGKILL');
  const [first] = await left();
  expect(first).toBeDefined();
  const anHourAgo = new Date(Date.now() - 3600_000);
  await utimes(join(folder, first!), anHourAgo, anHourAgo);
  await startNode(folder, ['bin/densenet', 'doctor']).ended;
  expect(await left()).toEqual([expect.not.stringMatching(`^${first}$`)]);
});
