import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { chooseEngine } from '../../src/engines/select.js';
import { findGpus } from '../../src/engines/tensorflow/gpu/find.js';
import { createTensorFlowEngine } from '../../src/engines/tensorflow/index.js';
import { findLibrary } from '../../src/engines/tensorflow/library/setup.js';
import { TensorFlowProcess } from '../../src/engines/tensorflow/process/client.js';
import { UserError } from '../../src/util/errors.js';
import { silent } from '../../src/util/reporter.js';
import { run, temporaryFolder } from '../program.js';
import { driverFolders } from './machine.js';

const machine = { ...process.env };
afterEach(() => {
  process.env = { ...machine };
});

const auto = { engine: 'auto', device: 'auto' } as const;
const onGpu = { device: 'gpu', setup: false, reporter: silent } as const;

/** What is amiss with a machine; its environment; what the program says; what TensorFlow says, where it says it. */
const FAULTS: readonly [string, Readonly<Record<string, string>>, string, string?][] = [
  [
    'no driver',
    { LD_LIBRARY_PATH: '' },
    'no NVIDIA driver was found (libcuda.so.1 is not there)',
    'failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)',
  ],
  [
    'a driver that does not start',
    { NULL_GPU_INIT: '803' },
    'the NVIDIA driver finds no GPU (cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, 803)',
    'failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH',
  ],
  [
    'no GPU',
    { NULL_GPU_COUNT: '0' },
    'the NVIDIA driver finds no GPU (cuInit: CUDA_ERROR_NO_DEVICE, 100)',
    'failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE',
  ],
  [
    'an empty list of GPUs',
    { NULL_GPU_COUNT: '0', NULL_GPU_INIT: '0' },
    'the NVIDIA driver lists no GPU',
    '',
  ],
  [
    'no management library',
    { LD_LIBRARY_PATH: driverFolders().driver },
    "TensorFlow 2.21.0 finds no GPU without NVIDIA's management library (libnvidia-ml.so.1 is not there)",
    '',
  ],
  [
    'a management library that does not start',
    { NULL_GPU_NVML: '9' },
    "TensorFlow 2.21.0 finds no GPU without NVIDIA's management library (nvmlInit failed with 9)",
    '',
  ],
  [
    'too old a driver',
    { NULL_GPU_DRIVER: '11080' },
    'the NVIDIA driver is too old: it supports CUDA 11.8, and TensorFlow 2.21.0 needs 12.0',
  ],
  [
    'too old a GPU',
    { NULL_GPU_CAPABILITY: '37' },
    'the compute capability of Null GPU 0 is 3.7; TensorFlow 2.21.0 has kernels for 6.0 to 9.0',
  ],
  [
    'too new a GPU',
    { NULL_GPU_CAPABILITY: '120' },
    'the compute capability of Null GPU 0 is 12.0; TensorFlow 2.21.0 has kernels for 6.0 to 9.0 and is reported to fail on 12.0',
  ],
  [
    'a list that hides all',
    { CUDA_VISIBLE_DEVICES: '' },
    "CUDA_VISIBLE_DEVICES is '', which hides every GPU",
  ],
  [
    'a number that hides all',
    { CUDA_VISIBLE_DEVICES: '-1' },
    "CUDA_VISIBLE_DEVICES is '-1', which hides every GPU",
  ],
  ['nothing to look with', { PATH: '' }, 'looking for a GPU needs Python 3 with its module ctypes'],
];

describe.each(FAULTS)('a machine with %s', (_, settings, missing) => {
  test('is trained on its CPU, and the program says why', async () => {
    Object.assign(process.env, settings);
    expect(await chooseEngine(auto)).toEqual({
      engine: 'native',
      device: 'cpu',
      reason: `no GPU: ${missing}`,
    });
  });

  test('is refused with --device gpu in two lines, and nothing is fetched', async () => {
    const folder = await temporaryFolder();
    const args = ['train', '--config=smoke-fashion-mnist-mini', '--device=gpu'];
    const { code, stderr } = await run(folder, args, { ...settings, XDG_CACHE_HOME: folder });
    expect(code).toBe(4);
    const [error, remedy, ...rest] = stderr.trim().split('\n');
    expect(error).toBe(`error: a GPU was asked for, but ${missing}`);
    expect(remedy).toMatch(/--device cpu\.$/);
    expect(rest).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});

test.each(FAULTS.filter(([, , , printed]) => printed !== undefined))(
  'TensorFlow finds no GPU on a machine with %s, and its reason is shown',
  async (_, settings, __, printed) => {
    Object.assign(process.env, settings);
    const started = createTensorFlowEngine(onGpu);
    await expect(started).rejects.toBeInstanceOf(UserError);
    const message = `a GPU was asked for, but TensorFlow 2.21.0 finds none${printed ? `: ${printed}` : ''}`;
    await expect(started).rejects.toMatchObject({ message: expect.stringContaining(message) });
  },
);

test('the capabilities that the program takes are those that TensorFlow says it was built for', async () => {
  const { binding, cudaFolders } = (await findLibrary('gpu'))!;
  const LD_LIBRARY_PATH = [...cudaFolders, machine.LD_LIBRARY_PATH].join(':');
  for (const NULL_GPU_CAPABILITY of ['52', '60', '61', '70', '75', '80', '86', '89', '90', '100', '120']) {
    process.env.NULL_GPU_CAPABILITY = NULL_GPU_CAPABILITY;
    const tensorflow = new TensorFlowProcess(binding, { LD_LIBRARY_PATH, TF_CPP_MIN_LOG_LEVEL: '1' });
    await tensorflow.status();
    const built = !tensorflow.output.includes('was not built with CUDA kernel binaries compatible with');
    await tensorflow.close();
    const [gpu] = ((await findGpus()) as { gpus: object[] }).gpus;
    expect({ NULL_GPU_CAPABILITY, taken: 'visibleDevice' in gpu! }).toEqual({
      NULL_GPU_CAPABILITY,
      taken: built,
    });
  }
});

describe('of several GPUs', () => {
  const chosen = async () => (await chooseEngine(auto)).gpu;

  test('the first that TensorFlow can use is taken, and no other is seen', async () => {
    Object.assign(process.env, { NULL_GPU_COUNT: '3', NULL_GPU_CAPABILITY: '37,86' });
    const gpu = await chosen();
    expect(gpu).toMatchObject({ index: 1, visibleDevice: '1', capability: [8, 6] });
    const engine = await createTensorFlowEngine({ ...onGpu, gpu });
    expect(engine.description).toBe('TensorFlow 2.21.0 on GPU (Null GPU 1, driver 575.00.00)');
    await engine.dispose();
  });

  test('--gpu takes another, among those that are visible', async () => {
    Object.assign(process.env, { NULL_GPU_COUNT: '4', CUDA_VISIBLE_DEVICES: '3, 1' });
    expect(await chosen()).toMatchObject({
      index: 0,
      visibleDevice: '3',
      name: 'Null GPU 3, driver 575.00.00',
    });
    const { gpu } = await chooseEngine({ ...auto, gpu: 1 });
    expect(gpu).toMatchObject({ index: 1, visibleDevice: '1', name: 'Null GPU 1, driver 575.00.00' });
    await expect(chooseEngine({ ...auto, gpu: 2 })).rejects.toMatchObject({
      kind: 'usage',
      message: 'there is no GPU 2: this machine has 2',
      remedy: expect.stringContaining('0 to 1'),
    });
    await expect(chooseEngine({ ...auto, device: 'cpu', gpu: 1 })).rejects.toMatchObject({ kind: 'usage' });
    await expect(chooseEngine({ ...auto, engine: 'native', gpu: 1 })).rejects.toMatchObject({
      kind: 'usage',
    });
  });
});

describe('densenet doctor', () => {
  const gpuSection = async (settings: Record<string, string>) => {
    const { stdout } = await run(await temporaryFolder(), ['doctor', '--json'], settings);
    const { sections } = JSON.parse(stdout) as { sections: { title: string; checks: object[] }[] };
    return sections.find(({ title }) => title.startsWith('GPU'))!.checks;
  };

  test('shows each GPU, the precision in force, and that TensorFlow computes there', async () => {
    const checks = await gpuSection({ NULL_GPU_COUNT: '2', NULL_GPU_CAPABILITY: '37,80' });
    expect(checks).toMatchObject([
      { name: 'GPU 0', ok: false, found: expect.stringContaining('3.7') },
      {
        name: 'GPU 1',
        ok: true,
        found: 'Null GPU 1, driver 575.00.00, compute capability 8.0, 42.9 GB (41.9 GB free)',
      },
      { name: 'precision', ok: true, found: 'float32, with TF32 switched off' },
      { ok: true, found: 'TensorFlow 2.21.0 on GPU (Null GPU 1, driver 575.00.00)' },
    ]);
  });

  test('says what a machine without one lacks', async () => {
    expect(await gpuSection({ LD_LIBRARY_PATH: '' })).toMatchObject([
      {
        name: 'GPU',
        ok: false,
        found: expect.stringContaining('no NVIDIA driver'),
        remedy: expect.any(String),
      },
    ]);
  });
});

test('setup for a GPU works where there is none, with a warning', async () => {
  const folder = await temporaryFolder();
  const settings = { LD_LIBRARY_PATH: '' };
  const { code, stdout, stderr } = await run(folder, ['setup', 'tensorflow', '--device=gpu'], settings);
  expect(stderr).toMatch(/there is no GPU here to try it on: no NVIDIA driver was found/);
  expect(stdout).toMatch(/^Ready: TensorFlow 2\.21\.0 on CPU, /);
  expect(code).toBe(0);
});
