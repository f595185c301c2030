import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SELFTEST_CASES } from '../../src/selftest/cases.js';
import { EXPECTED_FOLDER, expectedFile } from '../../src/selftest/expected.js';
import { packageRoot } from '../../src/util/package.js';
import { define } from './definition.js';

/** After a change of the cases: `WRITE_EXPECTED=1 npm run test:slow -- test/selftest` writes the results anew. */
const WRITE = process.env.WRITE_EXPECTED === '1';

/** Rounding moves the values that enter a ReLU by some 1e-6; nearer to 0 one may take the other side. */
const KINK_DISTANCE = 1e-5;

test.each(SELFTEST_CASES)(
  'the stored results of $name are those of the definition',
  { timeout: 1_200_000 },
  (one) => {
    const { expected, nearestKink } = define(one);
    expect(nearestKink).toBeGreaterThan(KINK_DISTANCE);
    const path = join(packageRoot, EXPECTED_FOLDER, `${one.name}.safetensors`);
    const file = expectedFile(expected);
    if (WRITE) {
      mkdirSync(join(packageRoot, EXPECTED_FOLDER), { recursive: true });
      writeFileSync(path, file);
    }
    expect(Buffer.from(file).equals(readFileSync(path))).toBe(true);
  },
);
