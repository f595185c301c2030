import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findRunFolder } from '../../src/runs/folders.js';
import { expandSweep } from '../../src/sweep/expand.js';
import { sweepDefinition } from '../../src/sweep/request.js';
import { startWatching, type WatchServerOptions } from '../../src/watch/server.js';
import { temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

async function watch(resultsFolder: string, options: Partial<WatchServerOptions> = {}) {
  const controller = new AbortController();
  const onProblem = (problem: string) => expect.unreachable(problem);
  const { signal } = controller;
  const server = await startWatching({
    resultsFolder,
    port: 0,
    title: 'runs',
    interval: 20,
    signal,
    onProblem,
    ...options,
  });
  onTestFinished(async () => {
    controller.abort();
    await server.ended;
  });
  return server;
}

function request(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>(
    (resolve, reject) => {
      get(url, { headers, method }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      }).on('error', reject);
    },
  );
}

/** The texts of the page's cards, as a browser is sent them: all at first, then what changes. */
async function* events(url: string): AsyncGenerator<string> {
  const response = await fetch(`${url}events`);
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const messages = (rest + chunk).split('\n\n');
    rest = messages.pop()!;
    for (const message of messages) if (message.startsWith('data: ')) yield message;
  }
}

/** Resolves when something is sent that matches. */
async function sent(stream: AsyncGenerator<string>, pattern: RegExp): Promise<string> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done) throw new Error(`the server ended before ${pattern}`);
    if (pattern.test(value)) return value;
  }
}

test('a page without a run says so, and shows the first one that comes', async () => {
  const results = await temporaryFolder();
  const { url } = await watch(results);
  const page = await request(url);
  expect(page.status).toBe(200);
  expect(page.text).toContain('There is no run yet.');
  const stream = events(url);
  await sent(stream, /There is no run yet/);
  await makeRun(results, 'quickstart', { errors: [30, 20] });
  await sent(stream, /quickstart\//);
  await stream.return(undefined);
  const complete = events(url);
  expect(await sent(complete, /20\.00 %/)).toContain('<svg');
  await complete.return(undefined);
});

test('of a sweep, the runs that have not begun are shown too', async () => {
  const results = await temporaryFolder();
  const sweep = await expandSweep(
    await sweepDefinition({ configs: ['quickstart'], seeds: [1, 2, 3], set: [] }),
  );
  const { url } = await watch(results, { sweep });
  expect((await request(url)).text).toContain('3 runs: 3 not started.');
  await makeRun(results, 'quickstart', { set: ['training.seed=2'], errors: [30, 21.5] });
  await makeRun(results, 'cifar10plus-40-12');
  const { text } = await request(url);
  expect(text).toContain('3 runs: 2 not started, 1 finished.');
  expect(text).toContain('21.50');
  expect(text).not.toContain('cifar10plus');
});

test('only this machine is answered, and nothing but the page', async () => {
  const { url } = await watch(await temporaryFolder());
  const { port } = new URL(url);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  for (const Host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost:9000'])
    expect((await request(url, { Host })).status).toBe(200);
  for (const Host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ])
    expect((await request(url, { Host })).status).toBe(403);
  expect((await request(`${url}events`, { Host: 'evil.example' })).status).toBe(403);
  expect((await request(`${url}../etc/passwd`)).status).toBe(404);
  expect((await request(url, {}, 'POST')).status).toBe(405);
  expect((await request(url)).headers['content-security-policy']).toContain("default-src 'none'");
});

test('names and texts of a run are no markup', async () => {
  const results = await temporaryFolder();
  const message = '<img src=x onerror=alert(1)>';
  const { textLog } = await makeRun(results, 'quickstart', { status: 'failed', message });
  await writeFile(textLog, `2026-11-24T10:15:00.000Z ${message}\n2026-11-24T10:16:00.000Z a par`);
  const { text } = await request((await watch(results)).url);
  expect(text).not.toContain('<img');
  expect(text).toContain('10:15:00 &lt;img src=x');
  expect(text).not.toContain('a par');
});

test('a port that is used is refused, with what to do', async () => {
  const results = await temporaryFolder();
  const { port } = new URL((await watch(results)).url);
  await expect(watch(results, { port: Number(port) })).rejects.toMatchObject({
    kind: 'usage',
    message: `port ${port} is used by another program`,
    remedy: expect.stringContaining('--port'),
  });
});

test('damaged runs, and such as disappear, are shown as such; the server goes on', async () => {
  const results = await temporaryFolder();
  const whole = await makeRun(results, 'quickstart');
  const damaged = await makeRun(results, 'quickstart', { set: ['training.seed=2'] });
  const { url } = await watch(results);
  expect((await request(url)).text).toContain('2 finished');
  const files = [damaged.config, damaged.environment, damaged.result, damaged.epochs];
  for (const path of [...files, damaged.eventLog, damaged.textLog]) {
    await rm(path, { force: true });
    await mkdir(path);
    expect((await request(url)).text).toContain(whole.name);
    await rm(path, { recursive: true });
    await symlink(path, path);
    expect((await request(url)).text).toContain(whole.name);
    await rm(path);
    await writeFile(path, '{"');
    await truncate(path, 5e8);
    expect((await request(url)).text).toContain(whole.name);
    await truncate(path, 2);
  }
  expect((await request(url)).text).toContain('1 finished');
  expect((await request(url)).text).toMatch(/>damaged</);
  await rm(damaged.path, { recursive: true });
  expect((await request(url)).text).toMatch(/>gone</);
  await rm(join(results, 'runs'), { recursive: true });
  expect((await request(url)).text).toContain('2 gone');
  await writeFile(join(results, 'runs'), '');
  expect((await request(url)).text).toContain('cannot read');
});

test('what was away for a moment comes back whole', async () => {
  const results = await temporaryFolder();
  await makeRun(results, 'quickstart', { errors: [12.34] });
  const { url } = await watch(results, { onProblem() {} });
  const stream = events(url);
  await sent(stream, /12\.34 %/);
  const [runs, away] = [join(results, 'runs'), join(results, 'away')];
  await rename(runs, away);
  await writeFile(runs, '');
  await sent(stream, /cannot read/);
  await rm(runs);
  await rename(away, runs);
  await sent(stream, /12\.34 %/);
  await stream.return(undefined);
});

test('one run that disappears stays on its page', async () => {
  const results = await temporaryFolder();
  const made = await makeRun(results, 'quickstart', { errors: [12.34] });
  const run = await findRunFolder(results, 'quickstart');
  const { url } = await watch(results, { run });
  const stream = events(url);
  await sent(stream, /12\.34 %/);
  await rm(made.path, { recursive: true });
  const news = await sent(stream, /not there any more/);
  // The rest of it has not changed, and is not sent again.
  expect(news).not.toContain('12.34');
  await stream.return(undefined);
});
