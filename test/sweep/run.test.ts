import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandSweep } from '../../src/sweep/expand.js';
import { runSweep } from '../../src/sweep/run.js';
import { type Reporter, silent } from '../../src/util/reporter.js';
import { makeRun } from '../runs/make-run.js';

it('leaves out what another sweep finished meanwhile', async () => {
  const resultsFolder = await mkdtemp(join(tmpdir(), 'densenet-sweep-'));
  try {
    const configs = [{ config: 'quickstart', set: [] }];
    const runs = await expandSweep({ configs, set: [], grid: {}, seeds: [1, 2] });
    const finished: Promise<unknown>[] = [];
    const reporter: Reporter = {
      ...silent,
      line: (text) => {
        if (!text.startsWith('[1/2]') || finished.length > 0) return;
        finished.push(makeRun(resultsFolder, 'quickstart', { set: ['training.seed=2'] }));
      },
    };
    const never = new AbortController().signal;
    // Refused at once: what the first run would do does not matter here.
    const trainOptions = ['--engine=none'];
    const outcomes = await runSweep(runs, {
      resultsFolder,
      jobs: 1,
      trainOptions,
      reporter,
      stop: never,
      force: never,
    });
    await Promise.all(finished);
    expect(outcomes.map(({ before, exitCode }) => [before.kind, exitCode])).toEqual([
      ['start', 2],
      ['finished', undefined],
    ]);
  } finally {
    await rm(resultsFolder, { recursive: true });
  }
});
