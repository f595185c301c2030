import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTensorFlowEngine } from '../../src/engines/tensorflow/index.js';
import { SELFTEST_CASES } from '../../src/selftest/cases.js';
import { EXPECTED_FOLDER } from '../../src/selftest/expected.js';
import { selftest } from '../../src/selftest/selftest.js';
import { packageRoot } from '../../src/util/package.js';
import { silent } from '../../src/util/reporter.js';
import { run, startNode, temporaryFolder } from '../program.js';

/** What another machine may add to the deviations seen here, as a factor. */
const MARGIN = 3;

describe.each(['cpu', 'gpu'] as const)('TensorFlow, graph for a %s', { timeout: 600_000 }, (form) => {
  // Eight images and more at once take other kernels than fewer.
  test.each([64, 4])('passes with kernels for %d images', async (batchSize) => {
    const options = { device: 'cpu', threads: 2, batchSize, setup: true, reporter: silent } as const;
    const engine = await createTensorFlowEngine(options, form);
    const checks = await selftest(engine, { freeMemory: 400e6, reporter: silent });
    await engine.dispose();
    for (const { what, deviation, allowed } of checks) {
      expect(deviation, what).toBeLessThanOrEqual(allowed / MARGIN);
    }
  });
});

describe('densenet selftest', { timeout: 600_000 }, () => {
  test('prints a table and exits 0; with --json one document', async () => {
    const folder = await temporaryFolder();
    const { code, stdout } = await run(folder, ['selftest', '--engine=native', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ passed: true, precision: expect.stringContaining('float32') });
    for (const { what, deviation, allowed, passed } of JSON.parse(stdout).checks) {
      expect({ what, passed, known: Number.isFinite(deviation) }).toEqual({
        what,
        passed: true,
        known: true,
      });
      expect(deviation).toBeLessThanOrEqual(allowed);
    }
  });

  test('exits 4 where the stored results say something else', async () => {
    const folder = await temporaryFolder();
    for (const part of ['bin', 'dist', 'native', 'package.json']) {
      await cp(join(packageRoot, part), join(folder, part), { recursive: true });
    }
    await symlink(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
    await mkdir(join(folder, EXPECTED_FOLDER), { recursive: true });
    for (const { name } of SELFTEST_CASES) {
      const file = join(EXPECTED_FOLDER, `${name}.safetensors`);
      const bytes = await readFile(join(packageRoot, file));
      // The sign of a value in the last tensor: a gradient.
      if (name === 'densenet') bytes[bytes.length - 1]! ^= 0x80;
      await writeFile(join(folder, file), bytes);
    }
    const program = [join(folder, 'bin', 'densenet'), 'selftest', '--engine=native'];
    const { code, stdout } = await startNode(folder, program).ended;
    expect(code).toBe(4);
    expect(stdout).toMatch(/^gradients: fully connected layers +\S+ +1\.0e-4 {2}WRONG$/m);
    expect(stdout).toMatch(/^1 of \d+ are not as they should be\.$/m);
    expect(stdout).toMatch(/^DenseNet \(L=10, k=12\): logits +\S+e-\d +2\.0e-5 {2}ok$/m);
  });
});
