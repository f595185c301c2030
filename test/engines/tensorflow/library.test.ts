import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { wheelsFor } from '../../../src/engines/tensorflow/library/packages.js';
import { downloadWheels, findPip } from '../../../src/engines/tensorflow/library/pip.js';
import { ensureLibrary, findLibrary } from '../../../src/engines/tensorflow/library/setup.js';
import { unpack } from '../../../src/engines/tensorflow/library/unpack.js';
import { TensorFlowProcess } from '../../../src/engines/tensorflow/process/client.js';
import { silent } from '../../../src/util/reporter.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('the library of TensorFlow', () => {
  test('is not fetched where that is forbidden', async () => {
    expect(await findLibrary('cpu')).toBeUndefined();
    const refused = ensureLibrary({ device: 'cpu', setup: false, reporter: silent });
    await expect(refused).rejects.toMatchObject({
      kind: 'engine',
      message: expect.stringContaining('--no-setup'),
      remedy: expect.stringContaining('densenet setup tensorflow --device cpu'),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('without Python and compiler, says what to install and leaves nothing behind', async () => {
    vi.stubEnv('PATH', folder);
    vi.stubEnv('CXX', '');
    const failed = ensureLibrary({ device: 'cpu', setup: true, reporter: silent });
    await expect(failed).rejects.toMatchObject({
      kind: 'engine',
      remedy: expect.stringContaining('apt-get install python3-pip g++'),
    });
    expect(await readdir(join(folder, 'densenet', 'tensorflow'))).toEqual([]);
  });

  test('pip refuses a file with another digest', async () => {
    const wheel = join(folder, 'example-1.0-py3-none-any.whl');
    await writeFile(wheel, 'not what was pinned');
    const pinned = { requirement: 'example==1.0', sha256: '0'.repeat(64), bytes: 19 };
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', folder);
    const pip = await findPip();
    const downloaded = downloadWheels(pip!.command, [pinned], join(folder, 'wheels'), silent);
    await expect(downloaded).rejects.toMatchObject({
      kind: 'engine',
      message: expect.stringMatching(/pip could not download TensorFlow: .*(hash|HASH)/i),
    });
  });

  test('a wheel that cannot be unpacked is named as the fault', async () => {
    const wheel = join(folder, 'broken.whl');
    await writeFile(wheel, 'no zip file');
    const pip = await findPip();
    await expect(unpack(pip!.command, [wheel], folder)).rejects.toMatchObject({
      kind: 'engine',
      message: expect.stringMatching(/cannot unpack .*not a zip file/),
    });
  });

  test('a program in a wheel can be run when it is unpacked; of the wheel nothing is taken that is not wanted', async () => {
    const wheel = join(folder, 'cuda.whl');
    const pip = (await findPip())!.command;
    const pack = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as file:
    for name, mode in [("nvidia/cuda_nvcc/bin/ptxas", 0o100755), ("nvidia/notes", 0o100644), ("other", 0o100644)]:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        file.writestr(entry, "#!/bin/sh\\necho assembled\\n")
`;
    await promisify(execFile)(pip, ['-c', pack, wheel]);
    const target = join(folder, 'unpacked');
    await unpack(pip, [wheel], target);
    const { stdout } = await promisify(execFile)(join(target, 'nvidia', 'cuda_nvcc', 'bin', 'ptxas'));
    expect(stdout).toBe('assembled\n');
    expect((await stat(join(target, 'nvidia', 'notes'))).mode & 0o111).toBe(0);
    expect(await readdir(target)).toEqual(['nvidia']);
  });

  test('a binding that does not load ends the process with the reason', async () => {
    const binding = join(folder, 'broken.node');
    await writeFile(binding, 'no library');
    const process = new TensorFlowProcess(binding, {});
    await expect(process.status()).rejects.toMatchObject({
      kind: 'engine',
      message: expect.stringMatching(/the TensorFlow process ended with code 1: Error: .*broken\.node/),
    });
    await process.close();
  });

  test('every wheel is pinned to a version and a digest', () => {
    for (const wheels of [wheelsFor('cpu', 'x64'), wheelsFor('cpu', 'arm64'), wheelsFor('gpu', 'x64')]) {
      for (const { requirement, sha256 } of wheels) {
        expect(requirement).toMatch(/^[a-z0-9-]+==[0-9.]+$/);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
    }
    expect(() => wheelsFor('cpu', 'riscv64')).toThrow(/not published for riscv64/);
    expect(() => wheelsFor('gpu', 'arm64')).toThrow(/not published for arm64/);
  });
});
