import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { listRunFolders } from '../../src/runs/folders.js';
import { removeRuns } from '../../src/runs/remove.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { thisProcess } from '../../src/util/owner.js';
import { temporaryFolder } from '../program.js';
import { makeRun } from './make-run.js';

const NOT_TAKEN = { takeOver: false };

test('removes no run of several if one of them is being trained', async () => {
  const results = await temporaryFolder();
  const idle = await makeRun(results, 'quickstart');
  const trained = await makeRun(results, 'quickstart');
  const { host, pid, start } = thisProcess();
  const { message, ...result } = trained.readResult();
  await trained.writeJson(trained.result, { ...result, status: 'running', process: { host, pid, start } });
  await expect(removeRuns([idle, trained], NOT_TAKEN)).rejects.toThrow(/is being trained by a process/);
  expect((await listRunFolders(results)).map(({ name }) => name)).toEqual([idle.name, trained.name]);
  // No claim is left on either.
  await trained.writeJson(trained.result, result);
  await removeRuns([idle, trained], NOT_TAKEN);
  expect(await readdir(dirname(idle.path))).toEqual([]);
});

test('a run whose removal was cut off is not listed, and the next run of the experiment removes the rest', async () => {
  const results = await temporaryFolder();
  const cut = await makeRun(results, 'quickstart');
  // A process of this host that is gone.
  const rest = join(dirname(cut.path), `.removed-1-${2 ** 22}.1@${thisProcess().host}`);
  await rename(cut.path, rest);
  expect(await listRunFolders(results)).toEqual([]);
  await mkdir(join(dirname(cut.path), '.removed-1-1@elsewhere'));
  const next = await makeRun(results, 'quickstart');
  expect(existsSync(rest)).toBe(false);
  expect((await readdir(dirname(next.path))).length).toBe(2);
});

test('a link is no run to be removed', async () => {
  const results = await temporaryFolder();
  const elsewhere = await makeRun(await temporaryFolder(), 'quickstart');
  const here = await makeRun(results, 'quickstart');
  const link = new RunFolder(`${here.path}-link`, 'quickstart/link');
  await symlink(elsewhere.path, link.path);
  await expect(removeRuns([here, link], NOT_TAKEN)).rejects.toThrow('quickstart/link is a link');
  expect(existsSync(here.config) && existsSync(elsewhere.config)).toBe(true);
});
