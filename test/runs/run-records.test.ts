import { spawn } from 'node:child_process';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRunRecord, readRunRecords } from '../../src/runs/run-records.js';
import { makeRun } from './make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-records-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The number of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid!;
}

describe('readRunRecord', () => {
  it.each(['finished', 'interrupted', 'diverged', 'failed'] as const)('shows %s as it is', async (status) => {
    const run = await makeRun(folder, 'quickstart', { status, message: 'why' });
    expect(await readRunRecord(run)).toMatchObject({ status, problem: 'why' });
  });

  it('tells a run that was killed from one whose process lives', async () => {
    const killed = await makeRun(folder, 'quickstart', {
      status: 'running',
      environment: { pid: await deadProcess() },
    });
    expect((await readRunRecord(killed)).status).toBe('killed');

    const script = join(folder, 'densenet-sleeper.js');
    await writeFile(script, 'setInterval(() => {}, 1000)');
    const child = spawn(process.execPath, [script], { stdio: 'ignore' });
    try {
      const running = await makeRun(folder, 'quickstart', {
        status: 'running',
        environment: { pid: child.pid! },
      });
      expect((await readRunRecord(running)).status).toBe('running');
    } finally {
      child.kill();
    }
  });

  it('does not take another program with the number of the killed process for it', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      const run = await makeRun(folder, 'quickstart', {
        status: 'running',
        environment: { pid: child.pid! },
      });
      expect((await readRunRecord(run)).status).toBe('killed');
    } finally {
      child.kill();
    }
  });

  it('does not take its own number for that of a process that trains the run, as after a restart', async () => {
    const { title } = process;
    process.title = 'densenet';
    try {
      const run = await makeRun(folder, 'quickstart', { status: 'running' });
      expect((await readRunRecord(run)).status).toBe('killed');
    } finally {
      process.title = title;
    }
  });

  it('judges a run of another host by the time of its files', async () => {
    const run = await makeRun(folder, 'quickstart', {
      status: 'running',
      environment: { host: `not-${hostname()}` },
    });
    expect((await readRunRecord(run)).status).toBe('running');
    const yesterday = new Date(Date.now() - 24 * 3600_000);
    for (const file of [run.environment, run.result, run.epochs]) await utimes(file, yesterday, yesterday);
    expect((await readRunRecord(run)).status).toBe('killed');
  });

  it('shows a run that was killed before it trained, and one with a damaged file', async () => {
    const early = await makeRun(folder, 'quickstart', { environment: { pid: await deadProcess() } });
    await rm(early.result);
    expect(await readRunRecord(early)).toMatchObject({ status: 'killed', result: undefined });
    const broken = await makeRun(folder, 'smoke-cifar10');
    await writeFile(broken.config, '{');
    expect(await readRunRecord(broken)).toMatchObject({
      status: 'damaged',
      problem: expect.stringContaining('config.json'),
    });
    expect((await readRunRecords(folder)).map(({ status }) => status)).toEqual(['killed', 'damaged']);
  });
});
