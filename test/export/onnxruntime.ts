import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The part of onnxruntime-node that the tests use. */
interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: object): Promise<Session>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => RuntimeTensor;
}

interface RuntimeTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

interface ValueMetadata {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

interface Session {
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>;
}

const folder = fileURLToPath(new URL('onnxruntime/', import.meta.url));
const installed = join(folder, 'node_modules');

/** ONNX Runtime, installed from the npm registry if it is not here yet. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  if (!existsSync(installed)) await install();
  return createRequire(folder)('onnxruntime-node') as OnnxRuntime;
}

/** Installs apart, then moves: test files run at the same time. The binaries need no install script. */
async function install(): Promise<void> {
  const apart = await mkdtemp(join(folder, 'install-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) await cp(join(folder, file), join(apart, file));
    await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit'], { cwd: apart });
    await rename(join(apart, 'node_modules'), installed);
  } catch (error) {
    if (!existsSync(installed)) throw error;
  } finally {
    await rm(apart, { recursive: true });
  }
}

/** Runs a model of `onnxFile` on images [N, C, H, W]; gives the logits [N, classes]. */
export async function runOnnx(
  model: Uint8Array,
  images: Float32Array,
  shape: readonly [channels: number, height: number, width: number],
): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadOnnxRuntime();
  const session = await InferenceSession.create(model);
  const count = images.length / (shape[0] * shape[1] * shape[2]);
  const { logits } = await session.run({ images: new Tensor('float32', images, [count, ...shape]) });
  return logits!.data;
}
