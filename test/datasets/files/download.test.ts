import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadOptions, download } from '../../../src/datasets/files/download.js';
import { UserError } from '../../../src/util/errors.js';
import {
  type Answer,
  answerWith,
  dropAfter,
  honest,
  serve,
  serveSockets,
  type TestServer,
} from '../support/server.js';
import { noise } from '../support/tiny.js';

const FILE = noise('download', 200_000);

let folder: string;
let path: string;
let server: TestServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'));
  path = join(folder, 'file');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function start(answer: Answer, file = FILE): Promise<TestServer> {
  server = await serve(new Map([['file', file]]), answer);
  return server;
}

const HASTY = { attempts: 3, firstDelay: 1, progress: 1024, stall: 400, slowest: 1 };

/** Downloads from the server; returns what it told. */
async function get(options: Partial<DownloadOptions> = {}) {
  const problems: string[] = [];
  const delays: number[] = [];
  const progress: number[] = [];
  await download({
    url: `${server?.url}/file`,
    path,
    bytes: FILE.length,
    maxBytes: FILE.length,
    retry: HASTY,
    onProgress: (bytes) => progress.push(bytes),
    onRetry: (problem, delay) => {
      problems.push(problem);
      delays.push(delay);
    },
    ...options,
  });
  return { problems, delays, progress };
}

async function failure(options: Partial<DownloadOptions> = {}): Promise<UserError> {
  const error = await get(options).then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

async function expectWhole(): Promise<void> {
  expect((await readFile(path)).equals(FILE)).toBe(true);
}

describe('a good server', () => {
  it('is asked once, and progress ends at the size', async () => {
    await start(honest);
    const { problems, progress } = await get();
    await expectWhole();
    expect(problems).toEqual([]);
    expect(progress.at(-1)).toBe(FILE.length);
    expect(server?.asked).toEqual([{ path: 'file', start: undefined, ifRange: undefined, before: 0 }]);
  });

  it('is asked only for what is missing', async () => {
    await start(honest);
    await writeFile(path, FILE.subarray(0, 150_000));
    await get();
    await expectWhole();
    expect(server?.asked.map((one) => one.start)).toEqual([150_000]);
  });

  it('is not asked when nothing is missing', async () => {
    await start(honest);
    await writeFile(path, FILE);
    await get();
    expect(server?.asked).toEqual([]);
  });

  it('tells that nothing is missing when the size is not known beforehand', async () => {
    await start(honest);
    await writeFile(path, FILE);
    await get({ bytes: undefined });
    await expectWhole();
    expect(server?.asked.map((one) => one.start)).toEqual([FILE.length]);
  });

  it('may redirect', async () => {
    await start((asked, file, response) => {
      if (asked.before === 0) response.writeHead(302, { location: 'file' }).end();
      else honest(asked, file, response);
    });
    await get();
    await expectWhole();
  });

  it('may label the file as gzip-encoded: its bytes are kept as they are', async () => {
    const gzipped = gzipSync(FILE);
    await start((_, file, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': file.length }).end(file);
    }, gzipped);
    await get({ bytes: gzipped.length, maxBytes: gzipped.length });
    expect((await readFile(path)).equals(gzipped)).toBe(true);
  });
});

describe('a server with troubles that pass', () => {
  it('drops every connection: the rest is asked for, of the same version', async () => {
    await start(dropAfter(60_000));
    const { problems } = await get();
    await expectWhole();
    expect(problems).toEqual(Array(3).fill('the connection broke off'));
    const starts = server!.asked.map((one) => one.start ?? 0);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts[1]).toBeGreaterThan(0);
    expect(server?.asked.map((one) => one.ifRange)).toEqual([undefined, '"v1"', '"v1"', '"v1"']);
  });

  it('gets another version of the file meanwhile: the whole is taken anew', async () => {
    await start(async (asked, file, response) => {
      if (asked.before === 0) await dropAfter(60_000)(asked, noise('old', file.length), response);
      else answerWith(asked, file, response, '"v2"');
    });
    await get();
    await expectWhole();
  });

  it('does not know ranges', async () => {
    await start((_, file, response) => void response.end(file));
    await writeFile(path, noise('other', 1000));
    await get();
    await expectWhole();
  });

  it('sends another range than asked for', async () => {
    await start((asked, file, response) => {
      if (asked.start === undefined) return honest(asked, file, response);
      response.writeHead(206, { 'content-range': `bytes 0-9/${file.length}` }).end(file.subarray(0, 10));
    });
    await writeFile(path, FILE.subarray(0, 1000));
    const { problems } = await get();
    await expectWhole();
    expect(problems).toEqual(['the server sends another range than asked for']);
  });

  it('has fewer bytes than are here', async () => {
    await start(honest);
    await writeFile(path, noise('other', FILE.length + 10));
    const { problems } = await get();
    await expectWhole();
    expect(problems).toEqual(['the server has fewer bytes than the 200010 that are here']);
  });

  it('is overloaded: waits are doubled, or as long as it says', async () => {
    await start((asked, file, response) => {
      if (asked.before === 0) response.writeHead(503).end();
      else if (asked.before === 1) response.writeHead(429, { 'retry-after': '0' }).end();
      else if (asked.before === 2) response.writeHead(500).end();
      else honest(asked, file, response);
    });
    const { problems, delays } = await get({ retry: { ...HASTY, attempts: 5 } });
    await expectWhole();
    expect(delays).toEqual([1, 0, 4]);
    expect(problems[0]).toBe('the server answers 503 Service Unavailable');
  });

  it('falls silent', async () => {
    await start((asked, file, response) => {
      if (asked.before > 0) return honest(asked, file, response);
      response.writeHead(200, { 'content-length': file.length, etag: '"v1"' });
      response.write(file.subarray(0, 5000));
    });
    const { problems } = await get();
    await expectWhole();
    expect(problems).toEqual(['no byte came for 0.4 s']);
    expect(server?.asked[1]?.start).toBe(5000);
  });

  it('falls silent before it answers', async () => {
    await start((asked, file, response) => {
      if (asked.before > 0) honest(asked, file, response);
    });
    const { problems } = await get();
    await expectWhole();
    expect(problems).toEqual(['no answer came in 0.4 s']);
  });

  it('sends a byte now and then: never silent, never done', async () => {
    await start(async (asked, file, response) => {
      if (asked.before > 0) return honest(asked, file, response);
      response.writeHead(200, { 'content-length': file.length, etag: '"v1"' });
      for (let at = 0; !response.closed; at++) {
        response.write(file.subarray(at, at + 1));
        await sleep(HASTY.stall / 4);
      }
    });
    const { problems } = await get({ retry: { ...HASTY, slowest: 1000 } });
    await expectWhole();
    expect(problems).toEqual([expect.stringMatching(/^the server is too slow: \d+ bytes? in \d+\.\d s$/)]);
    expect(server?.asked[1]?.start).toBeGreaterThan(0);
  });
});

describe('a server that cannot be used', () => {
  it('refuses: it is not asked again', async () => {
    await start((_, __, response) => void response.writeHead(403).end());
    const error = await failure();
    expect(error.kind).toBe('data');
    expect(error.message).toBe(`cannot download ${server?.url}/file: the server answers 403 Forbidden`);
    expect(error.remedy).toContain('--mirror URL');
    expect(server?.asked.length).toBe(1);
  });

  it('cannot be reached', async () => {
    const error = await failure({ url: `http://127.0.0.1:${await closedPort()}/file` });
    expect(error.message).toContain('the host refuses the connection');
    expect(error.remedy).toContain('it continues where it stopped');
  });

  it.each([
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'Parse Error'],
    [
      'wants to speak another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
      'the connection broke off',
    ],
  ])('%s', async (_, words, problem) => {
    const address = await serveSockets((socket) => socket.end(words));
    expect((await failure({ url: `${address}/file` })).message).toContain(problem);
  });

  it.each([
    ['the head of its answer', 'HTTP/1.1 200 OK\r\n', 'X-A: a\r\n', 'no answer came in 0.4 s'],
    ['announcements of an answer', '', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'no answer came in 0.4 s'],
    [
      'the end of a body',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n',
      'X-A: a\r\n',
      'no byte came for 0.4 s',
    ],
  ])('goes on and on with %s', async (_, begins, goesOn, problem) => {
    const address = await serveSockets((socket) => {
      socket.write(begins);
      const timer = setInterval(() => socket.write(goesOn), HASTY.stall / 4);
      socket.on('close', () => clearInterval(timer));
    });
    const error = await failure({ url: `${address}/file`, retry: { ...HASTY, attempts: 1 } });
    expect(error.message).toContain(problem);
  });

  it('redirects forever', async () => {
    await start((_, __, response) => void response.writeHead(302, { location: '/file' }).end());
    expect((await failure({ retry: { ...HASTY, attempts: 1 } })).message).toContain('more than 5 redirects');
  });

  it('offers a file of another size: what is here is kept', async () => {
    await start((_, __, response) => void response.end('<html>Please log in</html>'));
    await writeFile(path, FILE.subarray(0, 1000));
    const error = await failure();
    expect(error.message).toContain('the server offers 26 bytes where 200000 are expected');
    expect((await readFile(path)).equals(FILE.subarray(0, 1000))).toBe(true);
  });

  it('promises more than it has', async () => {
    await start((_, file, response) => {
      response.writeHead(200, { 'content-length': file.length });
      response.end(file.subarray(0, 500), () => response.destroy());
    });
    expect((await failure()).message).toMatch(/broke off|aborted/);
  });

  it('ends early without having said how long the file is', async () => {
    await start((_, file, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.end(file.subarray(0, 500));
    });
    expect((await failure()).message).toContain('the connection ended after 500 of 200000 bytes');
  });

  it('never ends: no more than the limit is kept, and it is not asked again', async () => {
    await start(endless);
    const error = await failure();
    expect(error.message).toContain('the server sends more where 200000 are expected at most');
    expect((await readFile(path)).length).toBeLessThanOrEqual(FILE.length);
    expect(server?.asked.length).toBe(1);
  });

  it('never ends where a download goes on: what was here may be of another version, so it is asked once more', async () => {
    await start((asked, file, response) => {
      if (asked.start === undefined) return endless(asked, file, response);
      response.writeHead(206, { 'content-range': `bytes ${asked.start}-/*` });
      return endless(asked, file, response);
    });
    await writeFile(path, FILE.subarray(0, 5000));
    const error = await failure();
    expect(error.message).toContain('the server sends more where 200000 are expected at most');
    expect(server?.asked.map((one) => one.start)).toEqual([5000, undefined]);
  });

  it('offers more than the file can have: it is not asked again', async () => {
    await start((_, file, response) => {
      response.writeHead(200, { 'content-length': '9'.repeat(18) });
      response.write(file);
    });
    for (const bytes of [FILE.length, undefined]) {
      const error = await failure({ bytes });
      expect(error.message).toMatch(/the server offers 1000000000000000000 bytes where 200000 are expected/);
    }
    expect(server?.asked.length).toBe(2);
  });

  it.each([
    ['without saying which', undefined],
    ['of another place', 'bytes 7-16/200000'],
    ['that is no range', 'bytes nonsense'],
  ])('answers with a part that nobody asked for, %s', async (_, range) => {
    await start((_, file, response) => {
      response
        .writeHead(206, range === undefined ? {} : { 'content-range': range })
        .end(file.subarray(0, 10));
    });
    expect((await failure()).message).toContain('the server sends another range than asked for');
    expect(server?.asked.length).toBe(HASTY.attempts);
  });

  it('brings bytes that are discarded again and again: they are no progress', async () => {
    await start((asked, file, response) => {
      if (asked.before % 2 === 0) return dropAfter(60_000)({ ...asked, start: 0 }, file, response);
      response.writeHead(206, { 'content-range': 'bytes 0-9/200000' }).end(file.subarray(0, 10));
    });
    await failure({ retry: { ...HASTY, attempts: 4 } });
    expect(server!.asked.length).toBeLessThan(8);
  });

  it('drops the connection again and again without a byte', async () => {
    await start((_, __, response) => void response.destroy());
    await failure();
    expect(server?.asked.length).toBe(HASTY.attempts);
  });
});

describe('the caller', () => {
  it('can abort; what came is kept', async () => {
    const controller = new AbortController();
    await start((_, file, response) => {
      response.writeHead(200, { 'content-length': file.length });
      response.write(file.subarray(0, 5000));
    });
    const aborted = get({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect((await readFile(path)).equals(FILE.subarray(0, 5000))).toBe(true);
  });

  it('hears of a full disk as the system says it', async () => {
    await start(honest);
    await expect(get({ path: '/dev/full' })).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});

/** Sends on and on. */
const endless: Answer = (_, file, response) => {
  const chunks = function* () {
    for (;;) yield file;
  };
  Readable.from(chunks()).pipe(response);
};

async function closedPort(): Promise<number> {
  const taken = await serve(new Map());
  const port = Number(new URL(taken.url).port);
  await taken.close();
  return port;
}
