import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Precision } from '../../src/engines/engine.js';
import { flatten, layoutOf, totalSize } from '../../src/engines/tensorflow/graph/layout.js';
import { modelGraph } from '../../src/engines/tensorflow/graph/model-graph.js';
import { maskCount } from '../../src/engines/tensorflow/graph/training.js';
import { findPip } from '../../src/engines/tensorflow/library/pip.js';
import { initialValues, parameters } from '../../src/networks/parameters.js';
import { DEFAULTS } from '../engines/conformance/models.js';
import { temporaryFolder } from '../program.js';
import { pythonPackages } from './machine.js';
import { networkOfSubject, SMALL, type Subject, WHOLE } from './networks.js';

/**
 * Between two gradients, in units of their length: rounding, and now and then a value on the other side of 0 at a ReLU.
 */
const ROUNDING = 1e-2;

/** Images that the small networks are tried with on the CPU. */
const IMAGES = 4;

/** Transposes of a whole graph that are worth it: those of the images are among them. */
const TRANSPOSES = 20;

interface Rewritten {
  readonly formats: Readonly<Record<string, number>>;
  readonly transposes: number;
  readonly deviation?: number;
}

/** The subjects' graphs after TensorFlow's layout optimizer for a GPU; the small ones are tried if asked for. */
async function rewrite(
  subjects: readonly Subject[],
  precision: Precision,
  tried: boolean,
): Promise<Rewritten[]> {
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
    folders.push(tried && SMALL.includes(subject) ? `${own}:${IMAGES}` : own);
  }
  const { stdout } = await promisify(execFile)(
    (await findPip())!.command,
    [join(import.meta.dirname, 'layout.py'), ...folders],
    { env: { ...process.env, PYTHONPATH: pythonPackages() }, maxBuffer: 64 * 2 ** 20 },
  );
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Rewritten);
}

const subjects = [...SMALL, ...WHOLE];

/** Looks for one order of axes in every operation that has one, and for few transposes. */
async function expectOneOrder(rewritten: readonly Rewritten[], order: 'NCHW' | 'NHWC'): Promise<void> {
  expect(rewritten).toHaveLength(subjects.length);
  for (const [index, subject] of subjects.entries()) {
    const { formats, transposes } = rewritten[index]!;
    expect(
      Object.keys(formats).filter((name) => !name.endsWith(` ${order}`)),
      subject.config,
    ).toEqual([]);
    expect(Object.keys(formats), subject.config).toContain(`Conv2D ${order}`);
    // Masks of dropout are drawn in TensorFlow's order of axes, and used forwards and backwards.
    const masks = order === 'NCHW' ? maskCount(await networkOfSubject(subject)) : 0;
    expect(transposes, subject.config).toBeLessThanOrEqual(TRANSPOSES + 2 * masks);
  }
}

test('float32 graphs rewritten for a GPU are NCHW throughout, with few transposes, and compute the same', async () => {
  const rewritten = await rewrite(subjects, 'float32', true);
  await expectOneOrder(rewritten, 'NCHW');
  for (const [index, subject] of subjects.entries()) {
    const { deviation } = rewritten[index]!;
    if (SMALL.includes(subject)) expect(deviation, subject.config).toBeLessThan(ROUNDING);
  }
});

test('bfloat16 graphs stay NHWC, which the GPU multiplies faster', async () => {
  await expectOneOrder(await rewrite(subjects, 'bfloat16', false), 'NHWC');
});
