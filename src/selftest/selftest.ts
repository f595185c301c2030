import type { Engine } from '../engines/engine.js';
import type { Reporter } from '../util/reporter.js';
import { type Computed, caseChecks, compute, type Defined, gradientChecks } from './against-definition.js';
import { bitChecks, slopeCheck } from './against-itself.js';
import { SELFTEST_CASES } from './cases.js';
import { type Finding, failure } from './check.js';
import { readExpected } from './expected.js';
import { largestCheck } from './largest.js';

export interface SelftestOptions {
  /** Bytes that are free where the engine computes. */
  readonly freeMemory: number;
  readonly reporter: Reporter;
}

/**
 * Compares what an engine computes with results in double precision that were stored, and with itself. What the engine
 * throws is a failed check. Throws a UserError (data) where the stored results cannot be read.
 */
export async function selftest(
  engine: Engine,
  { freeMemory, reporter }: SelftestOptions,
): Promise<Finding[]> {
  const cases = await Promise.all(
    SELFTEST_CASES.map(async (one) => ({ ...one, expected: await readExpected(one.name) })),
  );
  const results: (Defined & { readonly computed: Computed })[] = [];
  const parts: [what: string, work: () => Promise<Finding[]>][] = [
    ...cases.map((one): [string, () => Promise<Finding[]>] => [
      one.network.title,
      async () => {
        const computed = await compute(engine, one);
        results.push({ ...one, computed });
        return caseChecks(one, computed);
      },
    ]),
    ['gradients', async () => gradientChecks(results)],
    ['dropout', () => slopeCheck(engine)],
    ['bits', () => bitChecks(engine)],
    ['the largest network that fits', () => largestCheck(engine, freeMemory)],
  ];
  const checks: Finding[] = [];
  const bar = reporter.bar('selftest', parts.length, 'steps');
  try {
    for (const [index, [what, work]] of parts.entries()) {
      checks.push(...(await work().catch((error: unknown) => [failure(what, error)])));
      bar.update(index + 1);
    }
    return checks;
  } finally {
    bar.finish();
  }
}
