import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Precision } from '../../src/engines/engine.js';
import { flatten, layoutOf, totalSize } from '../../src/engines/tensorflow/graph/layout.js';
import { modelGraph } from '../../src/engines/tensorflow/graph/model-graph.js';
import { findPip } from '../../src/engines/tensorflow/library/pip.js';
import { initialValues, parameters } from '../../src/networks/parameters.js';
import { findCompiler } from '../../src/util/compiler.js';
import { packageRoot } from '../../src/util/package.js';
import { DEFAULTS } from '../engines/conformance/models.js';
import { temporaryFolder } from '../program.js';
import { pythonEnvironment, tensorflowFolder } from './machine.js';
import { networkOfSubject, SMALL, type Subject } from './networks.js';

/**
 * Between two gradients, in units of their length: rounding, and now and then a value on the other side of 0 at a ReLU.
 */
const ROUNDING = 1e-2;

/** Transposes of a training step that are worth it: that of the images is among them. */
const TRANSPOSES = 20;

/** Networks as they are trained; the first has 98 masks of dropout. */
const WHOLE: readonly Subject[] = [
  { config: 'cifar10-bc-100-12', images: 64 },
  { config: 'imagenet-densenet-121', images: 2 },
  { config: 'imagenet-resnet-50', images: 2 },
];

interface Graphs {
  readonly formats: Readonly<Record<string, number>>;
  readonly transposes: number;
}

interface Executed {
  readonly step: Graphs;
  readonly evaluation: Graphs;
  readonly deviation?: number;
}

/**
 * What a session on the null GPU executes for a training step and an evaluation of the subjects; the steps of those
 * `compared` are run on the CPU too.
 */
async function executed(
  subjects: readonly Subject[],
  precision: Precision,
  compared: readonly Subject[],
): Promise<Executed[]> {
  const folder = await temporaryFolder();
  const folders: string[] = [];
  for (const [index, subject] of subjects.entries()) {
    const network = await networkOfSubject(subject);
    const layout = layoutOf(parameters(network));
    const values = initialValues(network, 1);
    const own = join(folder, String(index));
    await mkdir(own);
    await writeFile(
      join(own, 'saved_model.pb'),
      modelGraph(network, layout, { ...DEFAULTS, precision }, { form: 'gpu', images: 64, compiled: false }),
    );
    await writeFile(join(own, 'weights'), flatten(layout.trainable, values));
    await writeFile(join(own, 'running'), flatten(layout.running, values));
    await writeFile(join(own, 'momentum'), new Float32Array(totalSize(layout.trainable)));
    folders.push(compared.includes(subject) ? `${own}:compare` : own);
  }
  const { stdout } = await promisify(execFile)(
    (await findPip())!.command,
    [join(import.meta.dirname, 'layout.py'), await float32Library(folder), ...folders],
    { env: { ...process.env, ...pythonEnvironment(precision) }, maxBuffer: 64 * 2 ** 20 },
  );
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Executed);
}

/** `tensorflow/float32.cc` by itself, for Python. */
async function float32Library(folder: string): Promise<string> {
  const library = join(folder, 'float32.so');
  const source = join(packageRoot, 'tensorflow', 'float32.cc');
  const framework = [`-L${tensorflowFolder()}`, '-l:libtensorflow_framework.so.2'];
  const args = ['-std=c++17', '-fPIC', '-shared', source, ...framework, '-o', library];
  await promisify(execFile)((await findCompiler())!.command, args);
  return library;
}

/** Expects one order of axes in every operation that has one, and few transposes. */
function expectOneOrder({ config }: Subject, { formats, transposes }: Graphs, order: 'NCHW' | 'NHWC'): void {
  const others = Object.keys(formats).filter((name) => !name.endsWith(` ${order}`));
  expect(others, config).toEqual([]);
  expect(Object.keys(formats), config).toContain(`Conv2D ${order}`);
  expect(transposes, config).toBeLessThanOrEqual(TRANSPOSES);
}

test('in float32 all runs NCHW, with few transposes, and computes what was written', async () => {
  const subjects = [...SMALL, ...WHOLE];
  const steps = await executed(subjects, 'float32', SMALL);
  for (const [index, subject] of subjects.entries()) {
    const { step, evaluation, deviation } = steps[index]!;
    expectOneOrder(subject, step, 'NCHW');
    expectOneOrder(subject, evaluation, 'NCHW');
    if (SMALL.includes(subject)) expect(deviation, subject.config).toBeLessThan(ROUNDING);
  }
});

test('a bfloat16 step stays NHWC, which the GPU multiplies faster', async () => {
  const steps = await executed(SMALL, 'bfloat16', []);
  for (const [index, subject] of SMALL.entries()) {
    const { step, evaluation } = steps[index]!;
    expectOneOrder(subject, step, 'NHWC');
    expectOneOrder(subject, evaluation, 'NHWC');
  }
});
