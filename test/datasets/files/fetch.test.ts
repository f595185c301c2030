import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatasetDefinition } from '../../../src/datasets/dataset.js';
import type { FetchOptions } from '../../../src/datasets/store.js';
import { UserError } from '../../../src/util/errors.js';
import { thisProcess } from '../../../src/util/owner.js';
import { silent } from '../../../src/util/reporter.js';
import { filesBelow } from '../support/files-below.js';
import { dropAfter, honest, serve, type TestServer } from '../support/server.js';
import {
  noise,
  sha256,
  storeOf,
  type Tiny,
  tarGz,
  tinyCifar,
  tinyFashion,
  tinySvhn,
} from '../support/tiny.js';

let folder: string;
let server: TestServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

const HASTY = { attempts: 3, firstDelay: 1, progress: 1024, stall: 2000, slowest: 1 };

/** Fetches; returns whether there was anything to do, and the warnings. */
async function fetchTiny(tiny: Tiny, options: Partial<FetchOptions> = {}) {
  const warnings: string[] = [];
  const reporter = { ...silent, warn: (text: string) => warnings.push(text) };
  const fetched = await storeOf(tiny.definition).fetch({
    folder,
    mirror: server?.url,
    reporter,
    retry: HASTY,
    ...options,
  });
  return { fetched, warnings };
}

async function failure(tiny: Tiny, options: Partial<FetchOptions> = {}): Promise<UserError> {
  const error = await fetchTiny(tiny, options).then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).kind).toBe('data');
  return error as UserError;
}

async function expectLoaded({ definition, train, test }: Tiny): Promise<void> {
  const dataset = await storeOf(definition).load(folder);
  for (const [loaded, made] of [
    [dataset.train, train],
    [dataset.test, test],
  ] as const) {
    expect(loaded).toMatchObject({ ...definition.image, count: made.labels.length });
    expect(Buffer.from(loaded.labels).equals(made.labels)).toBe(true);
    expect(Buffer.from(loaded.images).equals(made.images)).toBe(true);
  }
}

async function writeAll(where: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(where, { recursive: true });
  for (const [name, content] of files) await writeFile(join(where, name), content);
}

describe.each([
  ['CIFAR-10', () => tinyCifar('cifar10')],
  ['CIFAR-100', () => tinyCifar('cifar100')],
  ['SVHN', () => Promise.resolve(tinySvhn())],
  ['Fashion-MNIST', () => Promise.resolve(tinyFashion())],
])('%s', (_, make) => {
  let tiny: Tiny;
  let own: string;
  beforeEach(async () => {
    tiny = await make();
    own = join(folder, tiny.definition.name);
  });

  it('is downloaded, leaves nothing else behind, and is read as it was made', async () => {
    server = await serve(tiny.served);
    expect((await fetchTiny(tiny)).fetched).toBe(true);
    expect(await filesBelow(own)).toEqual([...tiny.unpacked.keys(), 'manifest.json'].sort());
    for (const [name, content] of tiny.unpacked) {
      expect((await readFile(join(own, name))).equals(content)).toBe(true);
    }
    await expectLoaded(tiny);
    const asked = server.asked.length;
    expect((await fetchTiny(tiny)).fetched).toBe(false);
    expect(server.asked.length).toBe(asked);
  });

  it('is imported from what a server has', async () => {
    const from = join(folder, 'mine');
    await writeAll(from, tiny.served);
    await fetchTiny(tiny, { from });
    await expectLoaded(tiny);
    expect(await filesBelow(from)).toEqual([...tiny.served.keys()].sort());
  });

  it('is imported from unpacked files', async () => {
    const from = join(folder, 'mine');
    await writeAll(from, tiny.unpacked);
    const { warnings } = await fetchTiny(tiny, { from });
    await expectLoaded(tiny);
    const published = tiny.definition.files.every((file) => file.sha256 ?? file.md5);
    expect(warnings.length).toBe(published ? 0 : 1);
  });

  it('is imported from unpacked files in their folder, gzipped', async () => {
    const inner = tiny.definition.sources[0]?.innerFolder ?? '';
    const gzipped = new Map([...tiny.unpacked].map(([name, content]) => [`${name}.gz`, gzipSync(content)]));
    await writeAll(join(folder, 'mine', inner), gzipped);
    await fetchTiny(tiny, { from: join(folder, 'mine') });
    await expectLoaded(tiny);
  });

  it('has one digest, however it came', async () => {
    server = await serve(tiny.served);
    await fetchTiny(tiny);
    const downloaded = (await storeOf(tiny.definition).load(folder)).digest;
    const from = join(folder, 'mine');
    await writeAll(from, tiny.unpacked);
    await fetchTiny(tiny, { from, folder: join(folder, 'other') });
    expect((await storeOf(tiny.definition).load(join(folder, 'other'))).digest).toBe(downloaded);
    expect(downloaded).toMatch(/^[0-9a-f]{64}$/);
  });

  it('says which variant it is, where its digest is one', async () => {
    const from = join(folder, 'mine');
    await writeAll(from, tiny.unpacked);
    await fetchTiny(tiny, { from });
    const published = await storeOf(tiny.definition).load(folder);
    expect(published.variant).toBeUndefined();
    const variants = [{ name: 'JPEG', digest: published.digest, note: 'Compressed anew.' }];
    const load = (other: DatasetDefinition) => storeOf(other).load(folder);
    expect(await load({ ...tiny.definition, variants })).toMatchObject({
      variant: 'JPEG',
      note: 'Compressed anew.',
    });
  });

  it('is not taken from a server with wrong bytes, and nothing is put into place', async () => {
    const name = tiny.definition.sources.at(-1)!.name;
    const wrong = Buffer.from(tiny.served.get(name)!);
    wrong[wrong.length >> 1]! ^= 1;
    server = await serve(new Map([...tiny.served, [name, wrong]]));
    const error = await failure(tiny);
    expect(error.message).toContain(`${server.url}/${name} is not the published file: `);
    expect(error.remedy).toContain('--mirror');
    expect(server.asked.filter((one) => one.path === name).length).toBe(2);
    const files = await filesBelow(own);
    expect(files).not.toContain('manifest.json');
    expect(files).not.toContain(tiny.definition.files.at(-1)!.name);
    await expect(storeOf(tiny.definition).load(folder)).rejects.toThrow('is not complete');
  });

  it('is repaired where a file is damaged, cut short or missing', async () => {
    server = await serve(tiny.served);
    await fetchTiny(tiny);
    const [first, second] = tiny.definition.files;
    const path = join(own, first!.name);
    const content = await readFile(path);
    content[content.length - 1]! ^= 1;
    await writeFile(path, content);
    await truncate(join(own, second!.name), 10);
    const check = await storeOf(tiny.definition).verify(folder);
    expect(check.whole).toBe(false);
    const statuses = check.files.map((file) => file.status);
    expect(statuses.slice(0, 2)).toEqual(['wrong digest', 'wrong size']);
    expect(new Set(statuses.slice(2))).not.toContain('wrong digest');
    const error = await storeOf(tiny.definition)
      .load(folder)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: 'data',
      remedy: `Fetch what is missing or damaged: densenet data fetch ${tiny.definition.name}`,
    });
    await rm(join(own, second!.name));
    expect((await fetchTiny(tiny)).fetched).toBe(true);
    await expectLoaded(tiny);
  });

  it('is not whole without its manifest, and gets it back', async () => {
    server = await serve(tiny.served);
    await fetchTiny(tiny);
    for (const text of [undefined, '{"format":1', '{"format":2,"files":[]}']) {
      await rm(join(own, 'manifest.json'));
      if (text) await writeFile(join(own, 'manifest.json'), text);
      expect(await storeOf(tiny.definition).status(folder)).toMatchObject({ present: false });
      expect((await storeOf(tiny.definition).verify(folder)).recorded).toBe(false);
      expect((await fetchTiny(tiny)).fetched).toBe(true);
      await expectLoaded(tiny);
    }
  });
});

describe('a download', () => {
  it('continues where connections drop', async () => {
    const tiny = await tinyCifar('cifar10', 20);
    server = await serve(tiny.served, dropAfter(100_000));
    const { warnings } = await fetchTiny(tiny);
    await expectLoaded(tiny);
    expect(warnings.length).toBeGreaterThan(1);
    expect(warnings[0]).toContain('the connection broke off; trying again in 1 s');
  });

  it('is taken once more when it was continued with bytes of another file', async () => {
    const tiny = await tinyCifar('cifar10');
    server = await serve(tiny.served);
    const workspace = join(folder, 'cifar10', '.incoming', `999999999@${thisProcess().host}`);
    await writeAll(workspace, new Map([['cifar-10-binary.tar.gz', noise('other', 5000)]]));
    const { warnings } = await fetchTiny(tiny);
    await expectLoaded(tiny);
    expect(warnings).toEqual([
      `${server.url}/cifar-10-binary.tar.gz is not the published file; downloading it once more`,
    ]);
    expect(server.asked.map((one) => one.start)).toEqual([5000, undefined]);
  });

  it('fetches only what is missing', async () => {
    const tiny = tinySvhn();
    server = await serve(new Map([...tiny.served].slice(0, 2)));
    const error = await failure(tiny);
    expect(error.message).toContain('test_32x32.mat: the server answers 404 Not Found');
    await server.close();
    server = await serve(new Map([...tiny.served].slice(2)));
    await fetchTiny(tiny);
    expect(server.asked.map((one) => one.path)).toEqual(['test_32x32.mat']);
    await expectLoaded(tiny);
  });

  it('may bring files gzipped in another way', async () => {
    const tiny = tinyFashion();
    const regzipped = new Map(
      tiny.definition.sources.map(({ name }, i) => {
        return [name, gzipSync([...tiny.unpacked.values()][i]!, { level: 0 })] as const;
      }),
    );
    server = await serve(regzipped);
    await fetchTiny(tiny);
    await expectLoaded(tiny);
  });

  it('of an archive without a file that should be in it is refused', async () => {
    const tiny = await tinyCifar('cifar10');
    const archive = await tarGz('cifar-10-batches-bin', new Map([...tiny.unpacked].slice(1)));
    server = await serve(new Map([['cifar-10-binary.tar.gz', archive]]));
    expect((await failure(withArchive(tiny, archive))).message).toContain(
      'does not contain data_batch_1.bin',
    );
  });

  it('of an archive that ends early is refused', async () => {
    const tiny = await tinyCifar('cifar10');
    const archive = tiny.served.get('cifar-10-binary.tar.gz')!.subarray(0, -50_000);
    server = await serve(new Map([['cifar-10-binary.tar.gz', archive]]));
    expect((await failure(withArchive(tiny, archive))).message).toContain('does not unpack (unexpected end');
  });

  it('to a full disk says so', async () => {
    const tiny = await tinyCifar('cifar10');
    server = await serve(tiny.served, honest);
    const workspace = join(folder, 'cifar10', '.incoming', `999999999@${thisProcess().host}`);
    await mkdir(workspace, { recursive: true });
    await symlink('/dev/full', join(workspace, 'cifar-10-binary.tar.gz'));
    const error = await failure(tiny);
    expect(error.message).toBe(`cannot use ${join(folder, 'cifar10')}: no space left on device (ENOSPC)`);
    expect(error.remedy).toContain('--data DIR');
  });

  it('to a folder whose links lead in a circle says so', async () => {
    const tiny = tinyFashion();
    await mkdir(join(folder, tiny.definition.name));
    const path = join(folder, tiny.definition.name, 'manifest.json');
    await symlink(path, path);
    expect((await failure(tiny)).message).toBe(
      `cannot use ${path}: too many symbolic links encountered (ELOOP)`,
    );
    await expect(storeOf(tiny.definition).load(folder)).rejects.toThrow('(ELOOP)');
  });

  it('to a folder that cannot be made says so', async () => {
    const tiny = tinyFashion();
    await writeFile(join(folder, 'file'), '');
    const error = await failure(tiny, { folder: join(folder, 'file') });
    expect(error.message).toContain('not a directory (ENOTDIR)');
    const nowhere = await failure(tiny, { folder: '/proc/densenet' });
    expect(nowhere.message).toMatch(/^cannot use \/proc\/densenet: /);
    expect(nowhere.remedy).toContain('--data DIR');
  });
});

describe('an import', () => {
  it.each([
    ['a folder', (path: string) => mkdir(path)],
    ['a FIFO', async (path: string) => execFileSync('mkfifo', [path])],
    ['a device', (path: string) => symlink('/dev/zero', path)],
  ])('of %s that has the name of a file says so, and does not wait', async (kind, make) => {
    const from = join(folder, 'mine');
    const named = async (name: string) => {
      await rm(from, { recursive: true, force: true });
      await mkdir(from);
      await make(join(from, name));
      return `${join(from, name)} is ${kind}, not a file`;
    };
    const cifar = await tinyCifar('cifar10');
    for (const name of ['train_32x32.mat', 'train_32x32.mat.gz']) {
      expect(await named(name)).toBe((await failure(tinySvhn(), { from })).message);
    }
    for (const name of ['cifar-10-binary.tar.gz', 'data_batch_1.bin', 'data_batch_1.bin.gz']) {
      expect(await named(name)).toBe((await failure(cifar, { from })).message);
    }
    const manifest = join(folder, 'cifar10', 'manifest.json');
    await mkdir(join(folder, 'cifar10'), { recursive: true });
    await make(manifest);
    expect((await failure(cifar)).message).toBe(`${manifest} is ${kind}, not a file`);
  });

  it('of another version of CIFAR names it', async () => {
    const from = join(folder, 'mine');
    await mkdir(from);
    await writeFile(join(from, 'cifar-10-python.tar.gz'), 'x');
    const archive = await failure(await tinyCifar('cifar10'), { from });
    expect(archive.message).toBe(
      `${join(from, 'cifar-10-python.tar.gz')} is the Python version; the binary version is read here`,
    );
    expect(archive.remedy).toBe('Bring cifar-10-binary.tar.gz, or leave out --from to download it.');
    const unpacked = join(folder, 'cifar-100-python');
    await mkdir(unpacked);
    for (const place of [unpacked, folder]) {
      expect((await failure(await tinyCifar('cifar100'), { from: place })).message).toBe(
        `${unpacked} is the Python version; the binary version is read here`,
      );
    }
  });

  it('of a folder without the files says what it looked for', async () => {
    await mkdir(join(folder, 'empty'));
    const from = join(folder, 'empty');
    expect((await failure(await tinyCifar('cifar10'), { from })).message).toBe(
      `there is neither cifar-10-binary.tar.gz nor data_batch_1.bin in ${from}`,
    );
    expect((await failure(tinySvhn(), { from })).message).toBe(`there is no train_32x32.mat in ${from}`);
    const missing = join(folder, 'missing');
    expect((await failure(tinySvhn(), { from: missing })).message).toBe(`there is no folder ${missing}`);
  });

  it('refuses another dataset of the same names', async () => {
    const tiny = tinyFashion();
    await writeAll(
      join(folder, 'mnist'),
      new Map([...tiny.unpacked].map(([n, c]) => [n, noise('mnist', c.length)])),
    );
    const error = await failure(tiny, { from: join(folder, 'mnist') });
    expect(error.message).toMatch(/^cannot import .*train-images-idx3-ubyte: has SHA-256 .*, expected /);
  });

  it('refuses labels that cannot be, where no digest is published', async () => {
    const tiny = await tinyCifar('cifar10');
    const content = Buffer.from(tiny.unpacked.get('data_batch_2.bin')!);
    content[3073] = 10;
    await writeAll(join(folder, 'mine'), new Map([...tiny.unpacked, ['data_batch_2.bin', content]]));
    const error = await failure(tiny, { from: join(folder, 'mine') });
    expect(error.message).toContain('data_batch_2.bin: image 1 has label 10, the largest is 9');
    expect(await storeOf(tiny.definition).status(folder)).toMatchObject({ present: false });
  });

  it('refuses files of another size', async () => {
    const tiny = await tinyCifar('cifar100');
    const content = tiny.unpacked.get('train.bin')!;
    for (const wrong of [content.subarray(1), Buffer.concat([content, content])]) {
      await writeAll(join(folder, 'mine'), new Map([...tiny.unpacked, ['train.bin', wrong]]));
      const error = await failure(tiny, { from: join(folder, 'mine') });
      expect(error.message).toMatch(/train.bin: holds .* bytes, expected 12296/);
    }
  });

  it('refuses files with another MD5, where that is what is published', async () => {
    const tiny = await tinyCifar('cifar100');
    const content = Buffer.from(tiny.unpacked.get('test.bin')!);
    content[content.length - 1]! ^= 1;
    await writeAll(join(folder, 'mine'), new Map([...tiny.unpacked, ['test.bin', content]]));
    const error = await failure(tiny, { from: join(folder, 'mine') });
    expect(error.message).toMatch(/test.bin: has MD5 [0-9a-f]{32}, expected [0-9a-f]{32}$/);
    await writeFile(join(folder, 'cifar100', 'test.bin'), content);
    const { files } = await storeOf(tiny.definition).verify(folder);
    expect(files.map(({ status }) => status)).toEqual(['whole', 'wrong digest']);
  });

  it('refuses a damaged archive', async () => {
    const tiny = await tinyCifar('cifar10');
    const archive = tiny.served.get('cifar-10-binary.tar.gz')!.subarray(0, -1);
    await writeAll(join(folder, 'mine'), new Map([['cifar-10-binary.tar.gz', archive]]));
    const error = await failure(tiny, { from: join(folder, 'mine') });
    expect(error.message).toContain(`holds ${archive.length} bytes, expected ${archive.length + 1}`);
  });
});

/** The same dataset from a publisher whose archive this is. */
function withArchive(tiny: Tiny, archive: Buffer): Tiny {
  const source = { ...tiny.definition.sources[0]!, bytes: archive.length, sha256: sha256(archive) };
  return { ...tiny, definition: { ...tiny.definition, sources: [source] } };
}
