import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../program.js';
import { writeCifar10 } from './support/cifar10.js';
import { serve, serveSockets } from './support/server.js';
import { noise, tarGz } from './support/tiny.js';

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'program-'));
  data = join(folder, 'data');
});
afterAll(() => rm(folder, { recursive: true }));

function runData(...args: string[]) {
  return run(folder, ['data', ...args, '--data', data]);
}

describe('densenet data', () => {
  it('takes CIFAR-10 as a person has it, lists it, verifies it, finds damage and repairs it', async () => {
    const from = join(folder, 'downloads');
    await writeCifar10(join(from, 'cifar-10-batches-bin'));
    const own = join(data, 'cifar10');

    const fetched = await runData('fetch', 'cifar10', '--from', from);
    expect(fetched.code, fetched.stderr).toBe(0);
    expect(fetched.stdout).toContain(`cifar10 fetched: 184.4 MB in ${own}`);
    expect(fetched.stderr).toContain('warning: no digest is published for data_batch_1.bin, ');

    const again = await runData('fetch', 'cifar10');
    expect(again).toEqual({ code: 0, stdout: `cifar10 is here already: 184.4 MB in ${own}\n`, stderr: '' });

    const list = await runData('list');
    expect(list.stdout).toMatch(/^cifar10 +CIFAR-10 +50,000 +10,000 +184\.4 MB +yes +/m);
    expect(list.stdout).toMatch(/^svhn +SVHN +604,388 +26,032 +no +/m);

    const file = await open(join(own, 'data_batch_3.bin'), 'r+');
    await file.write(Buffer.of(1, 2, 3), 0, 3, 20_000_000);
    await file.close();
    const verified = await runData('verify', 'cifar10');
    expect(verified.code).toBe(3);
    expect(verified.stdout).toContain(
      'cifar10/data_batch_2.bin: whole\ncifar10/data_batch_3.bin: wrong digest\n',
    );
    expect(verified.stderr).toBe(
      'error: not whole: cifar10\nFetch what is missing or damaged: densenet data fetch cifar10\n',
    );

    await runData('fetch', 'cifar10', '--from', from);
    const repaired = await runData('verify', '--json');
    expect(repaired.code).toBe(0);
    const { datasets } = JSON.parse(repaired.stdout);
    expect(datasets.map(({ name, whole }: { name: string; whole: boolean }) => [name, whole])).toContainEqual(
      ['cifar10', true],
    );
  });

  it('prints one JSON document on standard output', async () => {
    const { datasets } = JSON.parse((await runData('list', '--json')).stdout);
    expect(datasets.length).toBe(6);
    expect(datasets[2]).toEqual({
      name: 'svhn',
      title: 'SVHN',
      trainCount: 604_388,
      testCount: 26_032,
      present: false,
      bytes: 0,
      folder: join(data, 'svhn'),
    });
  });

  it.each([
    [
      'a name that is unknown',
      ['fetch', 'cifar'],
      2,
      /^error: there is no dataset 'cifar'\nDid you mean 'cifar10'\?/,
    ],
    [
      'a mirror that is no address',
      ['fetch', 'svhn', '--mirror', 'host/dir'],
      2,
      /^error: --mirror host\/dir is not/,
    ],
    [
      'a folder that is missing',
      ['fetch', 'svhn', '--from', '/no/such'],
      3,
      /^error: there is no folder \/no\/such\n/,
    ],
    [
      'a dataset that is not here',
      ['verify', 'svhn'],
      3,
      /^error: not whole: svhn\n.*densenet data fetch svhn\n$/,
    ],
  ])('explains %s', async (_, args, code, stderr) => {
    const ended = await runData(...args);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(stderr);
    expect(ended.stderr.trimEnd().split('\n').length).toBe(2);
  });

  it('refuses a server that has other files than the publisher', async () => {
    const archive = await tarGz('cifar-100-binary', new Map([['train.bin', noise('train', 3074)]]));
    const server = await serve(new Map([['train-images-idx3-ubyte.gz', archive]]));
    const missing = await runData('fetch', 'cifar100', '--mirror', `${server.url}/`);
    expect(missing).toMatchObject({ code: 3, stdout: '' });
    expect(missing.stderr).toMatch(
      /^error: cannot download .*: the server answers 404 Not Found\nTry another host/,
    );
    const wrong = await runData('fetch', 'fashion-mnist', '--mirror', server.url);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toMatch(/warning: .* is not the published file; downloading it once more\n/);
    expect(wrong.stderr).toMatch(
      /\nerror: .*\/train-images-idx3-ubyte.gz is not the published file: holds \d+ bytes/,
    );
    expect((await runData('list', '--json')).stdout).toContain('"present": false');
    await server.close();
  });

  it('names what a person brings that is no file, or the wrong version', async () => {
    const from = join(folder, 'brought');
    await mkdir(join(from, 'cifar-100-python'), { recursive: true });
    execFileSync('mkfifo', [join(from, 'train_32x32.mat'), join(from, 'ILSVRC2012_img_train.tar')]);
    for (const [name, message] of [
      ['svhn', `${join(from, 'train_32x32.mat')} is a FIFO, not a file`],
      ['imagenet', `${join(from, 'ILSVRC2012_img_train.tar')} is a FIFO, not a file`],
      [
        'cifar100',
        `${join(from, 'cifar-100-python')} is the Python version; the binary version is read here`,
      ],
    ] as const) {
      const { code, stderr } = await runData('fetch', name, '--from', from);
      expect(code).toBe(3);
      expect(stderr).toMatch(/^error: [^\n]*\n[^\n]*\n$/);
      expect(stderr).toContain(`error: ${message}\n`);
    }
  });

  it('shows what a server says without obeying it', async () => {
    const mirror = await serveSockets((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 404 \x1b[2Jnothing\u202e here\r\ncontent-length: 0\r\n\r\n'),
      );
    });
    const { code, stderr } = await runData('fetch', 'svhn', '--mirror', mirror);
    expect(code).toBe(3);
    expect(stderr).toContain('the server answers 404 \\u001b[2Jnothing');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal would obey
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u0080-\u009f\u202e]/);
  });

  it('shows examples with its help', async () => {
    const { stdout } = await runData('fetch', '--help');
    expect(stdout).toContain('densenet data fetch fashion-mnist --from ~/Downloads');
  });
});
