import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRunRecord, readRunRecords } from '../../src/runs/run-records.js';
import { thisProcess } from '../../src/util/owner.js';
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

    const script = join(folder, 'densenet');
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

  it('knows a process by when it began: a reused number is another process', async () => {
    const { host, pid, start } = thisProcess();
    const environment = { host, pid, processStart: start };
    const running = await makeRun(folder, 'quickstart', { status: 'running', environment });
    expect(readRunRecord(running)).toMatchObject({ status: 'running', atWork: { seen: true } });
    const reused = { host, pid, processStart: start! - 1 };
    const killed = await makeRun(folder, 'quickstart', { status: 'running', environment: reused });
    expect(readRunRecord(killed)).toMatchObject({ status: 'killed', atWork: undefined });
  });

  it.each(['densenet-notes.txt', './densenet-notes.txt'])(
    'does not take a program that reads %s for a trainer',
    async (name) => {
      await writeFile(join(folder, name), 'notes');
      const child = spawn('tail', ['-f', name], { cwd: folder, stdio: 'ignore' });
      try {
        const run = await makeRun(folder, 'quickstart', {
          status: 'running',
          environment: { pid: child.pid! },
        });
        expect(readRunRecord(run).status).toBe('killed');
      } finally {
        child.kill();
      }
    },
  );

  it('says how far a run has come that did not say that it ended, from its epochs', async () => {
    const run = await makeRun(folder, 'quickstart', { status: 'running', errors: [60, 40, 50] });
    const stored = JSON.parse(await readFile(run.result, 'utf8'));
    for (const key of ['last', 'best', 'reported']) delete stored[key];
    await run.writeJson(run.result, { ...stored, epochs: 0, seconds: 0 });
    expect(readRunRecord(run).result).toMatchObject({
      epochs: 3,
      seconds: 30,
      reported: { error: 50, epoch: 3 },
      best: { error: 40, epoch: 2 },
    });
  });

  it('shows what can be read of a damaged run, whatever is damaged', async () => {
    const json = ['{', 'null', '[]', '{"status": 3}', ''];
    const damages = {
      config: json,
      environment: json,
      result: json,
      epochs: ['epoch\nx\n', '"', 'a,b\n1\n'],
    };
    for (const [file, contents] of Object.entries(damages) as [keyof typeof damages, string[]][]) {
      const run = await makeRun(folder, 'quickstart');
      for (const content of contents) {
        await writeFile(run[file], content);
        expect(readRunRecord(run), `${file} ${content}`).toMatchObject({ status: 'damaged' });
      }
      await rm(run[file]);
      execFileSync('mkfifo', [run[file]]);
      expect(readRunRecord(run), file).toMatchObject({ status: 'damaged' });
      await rm(run[file]);
      await mkdir(run[file]);
      expect(readRunRecord(run), file).toMatchObject({ status: 'damaged' });
    }
    expect(await readRunRecords(folder)).toHaveLength(4);
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
