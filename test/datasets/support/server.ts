import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly path: string;
  /** First byte asked for, when a range was. */
  readonly start: number | undefined;
  readonly ifRange: string | undefined;
  /** How many requests for this path came before. */
  readonly before: number;
}

/** Answers a request for a file that exists. */
export type Answer = (asked: Asked, file: Buffer, response: ServerResponse) => void | Promise<void>;

/** A server as it should be: ranges, a strong ETag, the right length. */
export function honest(asked: Asked, file: Buffer, response: ServerResponse): void {
  answerWith(asked, file, response, '"v1"');
}

export function answerWith(asked: Asked, file: Buffer, response: ServerResponse, etag: string): void {
  const start = asked.ifRange !== undefined && asked.ifRange !== etag ? undefined : asked.start;
  const common = { etag, 'accept-ranges': 'bytes' };
  if (start !== undefined && start >= file.length) {
    response.writeHead(416, { ...common, 'content-range': `bytes */${file.length}` }).end();
    return;
  }
  const body = file.subarray(start ?? 0);
  const range = `bytes ${start}-${file.length - 1}/${file.length}`;
  const headers = { ...common, 'content-length': body.length };
  if (start === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, 'content-range': range });
  response.end(body);
}

/** Sends at most `bytes` of what it promised, then drops the connection. */
export function dropAfter(bytes: number): Answer {
  return async ({ start = 0 }, file, response) => {
    const range = `bytes ${start}-${file.length - 1}/${file.length}`;
    response.writeHead(start > 0 ? 206 : 200, {
      etag: '"v1"',
      'content-length': file.length - start,
      ...(start > 0 && { 'content-range': range }),
    });
    response.write(file.subarray(start, start + bytes));
    await sleep(30);
    if (start + bytes >= file.length) response.end();
    else response.destroy();
  };
}

export interface TestServer {
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** Serves files by name on localhost; 404 for other names. */
export async function serve(
  files: ReadonlyMap<string, Buffer>,
  answer: Answer = honest,
): Promise<TestServer> {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const path = (request.url ?? '/').slice(1);
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const ifRange = request.headers['if-range'];
    const before = asked.filter((one) => one.path === path).length;
    const current = {
      path,
      start: start === undefined ? undefined : Number(start),
      ifRange: typeof ifRange === 'string' ? ifRange : undefined,
      before,
    };
    asked.push(current);
    const file = files.get(path);
    if (file === undefined) response.writeHead(404).end('not here');
    else void answer(current, file, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A server on localhost that says what it likes, HTTP or not; gone when the test is done. Returns its address. */
export async function serveSockets(answer: (socket: Socket) => void): Promise<string> {
  const server = createSocketServer((socket) => {
    // The other side may break off at any time.
    socket.on('error', () => {});
    answer(socket);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
