import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownerName, thisProcess } from '../../../src/util/owner.js';
import { fetchInChild } from '../support/fetch-child.js';
import { filesBelow } from '../support/files-below.js';
import { type Answer, honest, serve, type TestServer } from '../support/server.js';
import { storeOf, type Tiny, tinyCifar } from '../support/tiny.js';

let tiny: Tiny;
let folder: string;
let own: string;
let server: TestServer | undefined;
beforeAll(async () => {
  tiny = await tinyCifar('cifar10', 20);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'processes-'));
  own = join(folder, 'cifar10');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

function startChild() {
  return fetchInChild(folder, { definition: tiny.definition, folder, mirror: server?.url });
}

async function expectWhole(): Promise<void> {
  const dataset = await storeOf(tiny.definition).load(folder);
  expect(Buffer.from(dataset.train.images).equals(tiny.train.images)).toBe(true);
  expect(await filesBelow(own)).toEqual([...tiny.unpacked.keys(), 'manifest.json'].sort());
}

/** Sends 20 kB at once and no more before `release` is called. */
function holding(): { answer: Answer; release: () => void; reached: Promise<void> } {
  let release = () => {};
  let arrive = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const answer: Answer = async (asked, file, response) => {
    if (asked.before > 0) return honest(asked, file, response);
    response.writeHead(200, { 'content-length': file.length, etag: '"v1"' });
    response.write(file.subarray(0, 20_000));
    arrive();
    await released;
    response.end(file.subarray(20_000));
  };
  return { answer, release, reached };
}

/** Waits until the partial download has 20 kB. */
async function partialWritten(pid: number | undefined): Promise<void> {
  const path = join(own, '.incoming', ownerName(pid!), 'cifar-10-binary.tar.gz');
  for (;;) {
    const size = await readFile(path).then(
      (content) => content.length,
      () => 0,
    );
    if (size >= 20_000) return;
    await sleep(20);
  }
}

describe('kill -9', () => {
  it('in the middle of a download: the next fetch goes on from there', async () => {
    const { answer } = holding();
    server = await serve(tiny.served, answer);
    const first = startChild();
    await partialWritten(first.process.pid);
    first.process.kill('SIGKILL');
    expect((await first.ended).code).toBe('SIGKILL');
    await expect(storeOf(tiny.definition).load(folder)).rejects.toThrow('is not complete');

    const second = await startChild().ended;
    expect(second).toEqual({ code: 0, stdout: 'fetched\n', stderr: '' });
    expect(server.asked.map((one) => one.start)).toEqual([undefined, 20_000]);
    await expectWhole();
  });

  it('at any moment does no harm', async () => {
    server = await serve(tiny.served);
    for (const file of ['.lock', '.incoming', 'data_batch_1.bin', 'test_batch.bin', 'manifest.json']) {
      const { process: child, ended } = startChild();
      while (!existsSync(join(own, file)) && child.exitCode === null) await sleep(1);
      child.kill('SIGKILL');
      await ended;
      const last = await startChild().ended;
      expect(last.code, last.stderr).toBe(0);
      await expectWhole();
      await rm(own, { recursive: true });
    }
  });
});

describe('two processes at once', () => {
  it('download once: the second waits for the first', async () => {
    const { answer, release, reached } = holding();
    server = await serve(tiny.served, answer);
    const first = startChild();
    await reached;
    const second = startChild();
    await new Promise((resolve) => second.process.stdout?.once('data', resolve));
    release();
    expect(await first.ended).toEqual({ code: 0, stdout: 'fetched\n', stderr: '' });
    const waited = `Process ${first.process.pid}@${hostname()} is fetching CIFAR-10 already; waiting for it.\n`;
    expect(await second.ended).toEqual({ code: 0, stdout: `${waited}was whole\n`, stderr: '' });
    expect(server.asked.length).toBe(1);
    await expectWhole();
  });

  it('all end well when many start together', async () => {
    server = await serve(tiny.served);
    const ended = await Promise.all(Array.from({ length: 5 }, () => startChild().ended));
    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array(5).fill({ code: 0, stderr: '' }),
    );
    expect(ended.filter(({ stdout }) => stdout.endsWith('fetched\n')).length).toBe(1);
    await expectWhole();
  });

  it('do no harm even when the lock fails', async () => {
    const { answer, release } = holding();
    server = await serve(tiny.served, answer);
    const first = startChild();
    await partialWritten(first.process.pid);
    await rm(join(own, '.lock'));
    expect(await startChild().ended).toMatchObject({ code: 0, stdout: 'fetched\n' });
    const dataset = await storeOf(tiny.definition).load(folder);
    expect(Buffer.from(dataset.train.images).equals(tiny.train.images)).toBe(true);
    release();
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });
    await expectWhole();
  });
});

describe('the lock of a process that is gone', () => {
  it('is void at once on this host', async () => {
    server = await serve(tiny.served);
    await mkdir(own);
    await writeFile(join(own, '.lock'), `999999999@${thisProcess().host}`);
    const start = performance.now();
    expect((await startChild().ended).code).toBe(0);
    expect(performance.now() - start).toBeLessThan(5000);
    await expectWhole();
  });

  it('is void soon where it was killed before it named itself', async () => {
    server = await serve(tiny.served);
    await mkdir(own);
    await writeFile(join(own, '.lock'), '');
    const start = performance.now();
    expect(await startChild().ended).toEqual({ code: 0, stdout: 'fetched\n', stderr: '' });
    expect(performance.now() - start).toBeLessThan(30_000);
    await expectWhole();
  });

  it('is kept while another host may hold it', async () => {
    server = await serve(tiny.served);
    await mkdir(own);
    const lock = join(own, '.lock');
    await writeFile(lock, '1@elsewhere');
    const { process: child, ended } = startChild();
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const now = new Date();
    await utimes(lock, now, now);
    await sleep(700);
    expect(server.asked).toEqual([]);
    await rm(lock);
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    await expectWhole();
  });
});
