import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadExperiment, train } from '../../src/index.js';
import { BusyError } from '../../src/runs/claim.js';
import { silent } from '../../src/util/reporter.js';
import { temporaryFolder } from '../program.js';

/** As another process does that takes a run over. */
function takeOver(run: string): void {
  const path = join(run, 'result.json');
  const result = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...result, process: { ...result.process, pid: 1 } }));
}

test('a run that is taken over while an epoch is evaluated gets no weights of that epoch', async () => {
  const results = await temporaryFolder();
  const experiment = await loadExperiment('smoke-fashion-mnist-mini');
  const runs = join(results, 'runs', experiment.name);
  const reporter = {
    ...silent,
    bar: (label: string) => ({
      update() {},
      finish() {
        if (label === 'test') takeOver(join(runs, readdirSync(runs)[0]!));
      },
    }),
  };
  const training = train(experiment, { results, engine: 'native', threads: 1, subset: 64, reporter });
  await expect(training).rejects.toThrow(BusyError);
  expect(readdirSync(join(runs, readdirSync(runs)[0]!, 'checkpoint'))).toEqual([
    'last.json',
    'last.safetensors',
  ]);
});
