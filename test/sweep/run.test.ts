import { symlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandSweep } from '../../src/sweep/expand.js';
import { sweepExitCode } from '../../src/sweep/outcome.js';
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

it('knows what its process left to another one, which is about to go on with it', async () => {
  const resultsFolder = await mkdtemp(join(tmpdir(), 'densenet-sweep-'));
  try {
    const configs = [{ config: 'quickstart', set: [] }];
    const runs = await expandSweep({ configs, set: [], grid: {}, seeds: [1] });
    const cut = await makeRun(resultsFolder, 'quickstart', { status: 'interrupted' });
    await writeFile(cut.checkpoint('last'), 'weights');
    const reporter: Reporter = {
      ...silent,
      line: (text) => {
        if (text.endsWith('resuming')) symlinkSync('7@elsewhere', join(cut.path, 'resuming'));
      },
    };
    const never = new AbortController().signal;
    const trainOptions = [`--results=${resultsFolder}`];
    const options = { resultsFolder, jobs: 1, trainOptions, reporter, stop: never, force: never };
    const outcomes = await runSweep(runs, options);
    expect(outcomes).toMatchObject([{ exitCode: 75, left: true, record: { status: 'interrupted' } }]);
    expect(sweepExitCode(outcomes)).toBe(3);
  } finally {
    await rm(resultsFolder, { recursive: true });
  }
});
