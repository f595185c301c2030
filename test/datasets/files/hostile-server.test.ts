import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { download } from '../../../src/datasets/files/download.js';
import { UserError } from '../../../src/util/errors.js';
import { FUZZ_RUNS } from '../../fuzz.js';
import { temporaryFolder } from '../../program.js';
import { serveSockets } from '../support/server.js';

const BYTES = 1000;

const number = fc.oneof(
  fc.nat(3 * BYTES),
  fc.constantFrom('-1', '1e9', '9'.repeat(21), '', 'abc', `${BYTES}`, '0'),
);
const header = fc.oneof(
  number.map((value) => `Content-Length: ${value}`),
  fc
    .tuple(number, number, number)
    .map(([first, last, all]) => `Content-Range: bytes ${first}-${last}/${all}`),
  number.map((value) => `Content-Range: bytes */${value}`),
  fc.string().map((value) => `ETag: "${value.replaceAll(/[\r\n]/g, '')}"`),
  fc.constantFrom(
    'Transfer-Encoding: chunked',
    'Content-Encoding: gzip',
    'Location: /elsewhere',
    'Location: file:///etc/passwd',
    'Location: http://[',
    'Retry-After: 0',
    'Retry-After: -5',
    'Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT',
    'Last-Modified: never\x01',
    'Connection: upgrade',
    'Upgrade: h2c',
  ),
);
const status = fc.constantFrom(0, 100, 101, 200, 204, 206, 206, 301, 302, 404, 416, 429, 500, 999);
const answer = fc
  .tuple(status, fc.array(header, { maxLength: 4 }), fc.nat(2 * BYTES))
  .map(
    ([code, headers, bytes]) =>
      `${[`HTTP/1.1 ${code} x`, ...headers].join('\r\n')}\r\n\r\n${'a'.repeat(bytes)}`,
  );

test('whatever a server answers, a download ends: with a file of the right size, or one line', async () => {
  const path = join(await temporaryFolder(), 'file');
  let answers: readonly string[] = [];
  let asked = 0;
  const address = await serveSockets((socket) => {
    socket.once('data', () => socket.end(Buffer.from(answers[asked++ % answers.length]!, 'latin1')));
  });
  const url = `${address}/file`;
  const retry = { attempts: 3, firstDelay: 1, progress: 100, stall: 300, slowest: 1 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { minLength: 1, maxLength: 4 }),
      fc.nat(BYTES + 200),
      fc.boolean(),
      async (list, here, exact) => {
        answers = list;
        asked = 0;
        await rm(path, { force: true });
        if (here > 0) await writeFile(path, Buffer.alloc(here));
        const bytes = exact ? BYTES : undefined;
        const told = { onProgress() {}, onRetry() {} };
        try {
          await download({ url, path, bytes, maxBytes: BYTES, retry, ...told });
          if (exact) expect((await stat(path)).size).toBe(BYTES);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
        // Three attempts in a row without progress of 100 bytes, each with up to five redirects.
        expect(asked).toBeLessThan(3 * 6 * (BYTES / retry.progress + 1));
      },
    ),
    { numRuns: FUZZ_RUNS },
  );
});
