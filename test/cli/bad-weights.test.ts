import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { networkOf } from '../../src/training/model.js';
import { packageRoot } from '../../src/util/package.js';
import { type Ended, run, startProcess } from '../program.js';

const CONFIG = 'smoke-fashion-mnist-mini';

/** A safetensors file with this header. */
function withHeader(header: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header)]);
}

/** An archive of 440 kB whose directory names one member of 200 MB 60 times. */
function manyNames(): Buffer {
  const unpacked = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from("{'descr': '<f4', 'fortran_order': False, 'shape': (50000000,), }".padEnd(117)),
    Buffer.from('\n'),
    Buffer.alloc(200_000_000),
  ]);
  const packed = deflateRawSync(unpacked);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(unpacked), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(unpacked.length, 18);
  common.writeUInt16LE(6, 22);
  const directory = Array.from({ length: 60 }, (_, index) => {
    const name = Buffer.from(`${10 + index}.npy`);
    return Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(14), name]);
  });
  const file = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from('10.npy'), packed]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(60, 4);
  end.writeUInt16LE(60, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(file.length, 12);
  return Buffer.concat([file, ...directory, Buffer.from('PK\x05\x06'), end]);
}

const empty = (index: number) => `"t${index}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`;

const FILES: Record<string, () => Uint8Array | string> = {
  'many-names.npz': manyNames,
  'long-string.safetensors': () => withHeader(`{"${'x'.repeat(30_000_000)}":1}`),
  'many-tensors.safetensors': () =>
    withHeader(`{${Array.from({ length: 500_000 }, (_, i) => empty(i)).join(',')}}`),
  'nested.safetensors': () => withHeader('['.repeat(5_000_000)),
  'pointer.safetensors': () =>
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n',
  'page.safetensors': () => '\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n',
  'index.json': () => '{"metadata": {"total_size": 1}, "weight_map": {}}',
  'keras.h5': () => Buffer.from('\x89HDF\r\n\x1a\n\x00\x00\x00\x00\x00\x08\x08\x00', 'latin1'),
  'array.npy': () => Buffer.from("\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", 'latin1'),
  'page.gz': () => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
};

/** The file, what the first line must say, and what the second must offer. */
const CASES: [string, RegExp, RegExp][] = [
  ['many-names.npz', /many-names\.npz: has several files in the same place/, /again/],
  ['long-string.safetensors', /tensor 'x{100}…' has a name of 30000000 characters/, /again/],
  ['many-tensors.safetensors', /many-tensors\.safetensors: names more than 100000 tensors/, /again/],
  ['nested.safetensors', /its header is not that of a safetensors file/, /again/],
  ['pointer.safetensors', /a Git LFS pointer/, /git lfs pull/],
  ['page.safetensors', /a web page/, /Download the file itself/],
  ['index.json', /a JSON text/, /\.safetensors file itself/],
  ['keras.h5', /an HDF5 file/, /docs\/weights\.md/],
  ['array.npy', /a single array of NumPy/, /numpy\.savez/],
  ['page.gz', /a gzip file/, /Unpack/],
  ['folder', /folder is a folder, not a file/, /path of a file/],
  ['pipe', /pipe is a FIFO, not a file/, /path of a file/],
  ['/dev/zero', /\/dev\/zero is a device, not a file/, /path of a file/],
  ['huge', /huge has 3\.3 TB, more than the 1\.1 GB that are read/, /another file/],
];

describe('files that are no weights of the network', { timeout: 300_000 }, () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'densenet-weights-'));
    for (const [name, content] of Object.entries(FILES)) await writeFile(join(folder, name), content());
    await mkdir(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    execFileSync('truncate', ['-s', '3T', join(folder, 'huge')]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(CASES)('%s', async (file, says, offers) => {
    const { code, stderr } = await inLittleMemory(folder, [
      'eval',
      `--config=${CONFIG}`,
      `--weights=${file}`,
    ]);
    const lines = stderr.trimEnd().split('\n');
    expect({ code, lines: lines.length }).toEqual({ code: 3, lines: 2 });
    expect(lines[0]).toMatch(says);
    expect(lines[1]).toMatch(offers);
  });

  test('batch counts of any type are passed over, other tensors of such types named as unexpected', async () => {
    const network = networkOf(await loadExperiment(CONFIG));
    const whole = Buffer.from(weightsFile(network, initialValues(network, 1)));
    const counts = replaced(whole, '"dtype":"I64","shape":[]', '"dtype":"U8","shape":[8]');
    await writeFile(join(folder, 'counts.safetensors'), counts);
    await writeFile(
      join(folder, 'more.safetensors'),
      replaced(counts, 'features.norm5.num_batches_tracked', 'features.norm5.num_batches_cracked'),
    );
    const evaluate = (file: string) => run(folder, ['eval', `--config=${CONFIG}`, `--weights=${file}`]);
    expect((await evaluate('counts.safetensors')).code).toBe(0);
    const { code, stderr } = await evaluate('more.safetensors');
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('1 unexpected (features.norm5.num_batches_cracked)'),
    });
  });

  test('weights of a type that is not read are named with it', async () => {
    const network = networkOf(await loadExperiment(CONFIG));
    const whole = Buffer.from(weightsFile(network, initialValues(network, 1)));
    await writeFile(join(folder, 'unsigned.safetensors'), replaced(whole, '"dtype":"F32"', '"dtype":"U32"'));
    const { code, stderr } = await run(folder, [
      'train',
      `--config=${CONFIG}`,
      '--init=unsigned.safetensors',
    ]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(
        /tensor 'features\.conv0\.weight' is of type U32; what is read are F32.*\n.*as F32/,
      ),
    });
  });
});

/** Node alone takes 0.8 GB of addresses. */
function inLittleMemory(cwd: string, args: readonly string[]): Promise<Ended> {
  const program = join(packageRoot, 'bin', 'densenet');
  const limited = 'ulimit -v 2500000 && exec "$@"';
  return startProcess(cwd, 'bash', ['-c', limited, 'bash', program, ...args]).ended;
}

/** Bytes with a text replaced by another one as long, wherever it stands. */
function replaced(bytes: Buffer, from: string, to: string): Buffer {
  expect(to).toHaveLength(from.length);
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}
