import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
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

/** The subjects' graphs after TensorFlow's layout optimizer for a GPU; the small ones are tried. */
async function rewrite(subjects: readonly Subject[]): Promise<Rewritten[]> {
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
      modelGraph(network, layout, DEFAULTS, { form: 'gpu', images: 64, compiled: false }),
    );
    await writeFile(join(own, 'weights'), flatten(layout.trainable, values));
    await writeFile(join(own, 'running'), flatten(layout.running, values));
    await writeFile(join(own, 'momentum'), new Float32Array(totalSize(layout.trainable)));
    folders.push(SMALL.includes(subject) ? `${own}:${IMAGES}` : own);
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

test("graphs rewritten for a GPU keep to cuDNN's order of axes, with few transposes, and compute the same", async () => {
  const subjects = [...SMALL, ...WHOLE];
  const rewritten = await rewrite(subjects);
  expect(rewritten).toHaveLength(subjects.length);
  for (const [index, subject] of subjects.entries()) {
    const { formats, transposes, deviation } = rewritten[index]!;
    expect(
      Object.keys(formats).filter((name) => !name.endsWith(' NCHW')),
      subject.config,
    ).toEqual([]);
    expect(Object.keys(formats), subject.config).toContain('Conv2D NCHW');
    // Masks of dropout are drawn in TensorFlow's order of axes, and used forwards and backwards.
    const masks = maskCount(await networkOfSubject(subject));
    expect(transposes, subject.config).toBeLessThanOrEqual(TRANSPOSES + 2 * masks);
    if (SMALL.includes(subject)) expect(deviation, subject.config).toBeLessThan(ROUNDING);
  }
});
