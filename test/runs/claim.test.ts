import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { claimRun } from '../../src/runs/claim.js';
import type { RunFolder } from '../../src/runs/run-folder.js';
import { ownerName } from '../../src/util/owner.js';
import { makeRun } from './make-run.js';

/** What the file system says to a symbolic link; it makes it where this is undefined. */
const links = vi.hoisted(() => ({ refusal: undefined as string | undefined }));
vi.mock('node:fs/promises', async (original) => {
  const files = await original<typeof import('node:fs/promises')>();
  const symlink: typeof files.symlink = async (...given) => {
    if (!links.refusal) return files.symlink(...given);
    throw Object.assign(new Error(`${links.refusal}: no symbolic links here`), { code: links.refusal });
  };
  return { ...files, symlink };
});

let results: string;
let run: RunFolder;
let claim: string;
beforeEach(async () => {
  results = await mkdtemp(join(tmpdir(), 'densenet-claim-'));
  run = await makeRun(results, 'quickstart', { status: 'interrupted' });
  claim = join(run.path, 'resuming');
});
afterEach(() => rm(results, { recursive: true }));

describe('claimRun', () => {
  it('names this process until it is released', async () => {
    const { confirm, release } = await claimRun(run);
    expect(await readlink(claim)).toBe(ownerName(process.pid));
    await confirm();
    await release();
    await release();
    expect(existsSync(claim)).toBe(false);
  });

  it('is refused while another process has it, and taken over once that is dead', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await symlink(ownerName(child.pid!), claim);
    await expect(claimRun(run)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('still alive'),
      remedy: expect.stringContaining(`kill -INT ${child.pid}`),
    });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    await claimRun(run);
    expect(await readlink(claim)).toBe(ownerName(process.pid));
  });

  it('is refused while a process of another host has it, which may live, until a person says that it is gone', async () => {
    await symlink('7@elsewhere', claim);
    await expect(claimRun(run)).rejects.toMatchObject({
      message: expect.stringContaining(
        'may still be trained by process 7 on elsewhere, which cannot be seen from here',
      ),
      remedy: expect.stringMatching(/--take-over.*ten minutes/),
    });
    await claimRun(run, { takeOver: true });
    expect(await readlink(claim)).toBe(ownerName(process.pid));
  });

  it('is not taken over from a process that is seen alive', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await symlink(ownerName(child.pid!), claim);
    await expect(claimRun(run, { takeOver: true })).rejects.toThrow('still alive');
    child.kill('SIGKILL');
  });

  it('is taken from a dead process whose number another one has now', async () => {
    const [pid, host] = ownerName(process.ppid).split(/\.\d+@/);
    await symlink(`${pid}.1@${host}`, claim);
    await claimRun(run);
    expect(await readlink(claim)).toBe(ownerName(process.pid));
  });

  it('does not say that time will tell where the files are dated later than now', async () => {
    const killed = await makeRun(results, 'quickstart', {
      status: 'running',
      environment: { host: 'elsewhere' },
    });
    const tomorrow = new Date(Date.now() + 24 * 3600_000);
    await utimes(killed.result, tomorrow, tomorrow);
    await expect(claimRun(killed)).rejects.toMatchObject({
      message: expect.stringMatching(/its files are dated .* later than this machine's clock$/),
      remedy: 'If it is gone, say so with --take-over.',
    });
  });

  it('takes a run that was killed on another host, once its files are silent', async () => {
    const killed = await makeRun(results, 'quickstart', {
      status: 'running',
      environment: { host: 'elsewhere' },
    });
    const yesterday = new Date(Date.now() - 24 * 3600_000);
    for (const file of [killed.environment, killed.result, killed.epochs])
      await utimes(file, yesterday, yesterday);
    await claimRun(killed);
  });

  it('is not given back twice: another process may have it by then', async () => {
    const { release } = await claimRun(run);
    await release();
    await symlink('7@elsewhere', claim);
    await release();
    expect(await readlink(claim)).toBe('7@elsewhere');
  });

  it('is given back where the run is being trained', async () => {
    const atWork = await makeRun(results, 'quickstart', {
      status: 'running',
      environment: { host: 'elsewhere' },
    });
    await expect(claimRun(atWork)).rejects.toMatchObject({
      message: expect.stringContaining('on elsewhere'),
    });
    expect(existsSync(join(atWork.path, 'resuming'))).toBe(false);
  });
});

describe('claimRun on a file system without symbolic links', () => {
  afterEach(() => {
    links.refusal = undefined;
  });

  it.each(['EPERM', 'EOPNOTSUPP', 'ENOSYS'])('names this process in a file (%s)', async (code) => {
    links.refusal = code;
    const { confirm, release } = await claimRun(run);
    expect(await readFile(claim, 'utf8')).toBe(ownerName(process.pid));
    await confirm();
    await release();
    expect(existsSync(claim)).toBe(false);
  });

  it('is refused while another process is named in it, also to one that could make links', async () => {
    await writeFile(claim, '7@elsewhere');
    await expect(claimRun(run)).rejects.toThrow('may still be trained by process 7 on elsewhere');
    links.refusal = 'EPERM';
    await expect(claimRun(run)).rejects.toThrow('may still be trained by process 7 on elsewhere');
    const yesterday = new Date(Date.now() - 24 * 3600_000);
    await utimes(claim, yesterday, yesterday);
    await claimRun(run);
    expect(await readFile(claim, 'utf8')).toBe(ownerName(process.pid));
  });

  it('is taken over where the file stays empty, as of a process that was killed', async () => {
    links.refusal = 'EPERM';
    await writeFile(claim, '');
    const now = performance.now.bind(performance);
    // Time goes by faster.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => 100 * now());
    await claimRun(run).finally(() => clock.mockRestore());
    expect(await readFile(claim, 'utf8')).toBe(ownerName(process.pid));
  });
});
