import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test, vi } from 'vitest';
import type { InputBenchReport } from '../../src/bench/input/rates.js';
import type { BenchReport } from '../../src/bench/report.js';
import { run, start, temporaryFolder } from '../program.js';

const SMALL = ['--depth', '10', '--growth-rate', '4', '--batch', '8', '--steps', '3', '--engine', 'native'];

async function bench(...args: string[]) {
  return run(await temporaryFolder(), ['bench', ...SMALL, ...args]);
}

describe('densenet bench', () => {
  test.each(['train', 'predict'] as const)('%s: the numbers follow from the steps', async (mode) => {
    const { code, stdout } = await bench('--json', '--mode', mode);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect(report).toMatchObject({
      network: 'DenseNet-BC (L=10, k=4)',
      mode,
      batch: 8,
      precision: 'float32',
    });
    const { median, min, max, n } = report.stepMilliseconds;
    expect([...report.times].sort((a, b) => a - b)).toEqual([min, median, max]);
    expect(n).toBe(3);
    expect(report.imagesPerSecond).toBeCloseTo(8000 / median, 6);
    const flops = 2 * report.multiplyAdds * (mode === 'train' ? 3 : 1) * report.imagesPerSecond;
    expect(report.flopsPerSecond / flops).toBeCloseTo(1, 9);
    expect(report.shareOfPeak! * report.peakFlopsPerSecond!).toBeCloseTo(report.flopsPerSecond, -2);
    expect(report.shareOfPeak).toBeLessThan(1);
    expect(report.peakRssBytes).toBeGreaterThan(30e6);
  });

  test('--profile shares out the time of the steps', async () => {
    const { code, stdout } = await bench('--json', '--profile');
    expect(code).toBe(0);
    const { profile, times } = JSON.parse(stdout) as BenchReport;
    const seconds = profile!.reduce((sum, entry) => sum + entry.seconds, 0);
    const measured = times.reduce((sum, time) => sum + time / 1000, 0);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(measured);
    expect(new Set(profile!.map(({ stage }) => stage))).toContain('denseblock3');
  });

  test('prints for people, with the profile as a table', async () => {
    const { code, stdout } = await bench('--profile', '--memory-efficient');
    expect(code).toBe(0);
    expect(stdout).toContain('training, batch 8, float32, memory-efficient, native engine on CPU');
    expect(stdout).toMatch(/images per second {2}[\d.]+\nstep +[\d.]+ ms, the median of 3/);
    expect(stdout).toMatch(/speed +[\d.]+ GFLOP\/s, [\d.]+ % of the measured peak of \d+/);
    expect(stdout).toMatch(/denseblock1 +1x1 forward +[\d.]+ +[\d.]+ % +[\d.]+ +\d+ %/);
  });

  test.each([
    [['--input', '3x32'], 'Give channels, height and width: 3x32x32.'],
    [['--depth', '11'], 'Use 10 or 16.'],
    [['--config', 'quickstart'], "cannot be used with option '--config <config>'"],
    [['--profile', '--mode', 'predict'], 'only training steps can be profiled'],
    [['--mode', 'learn'], 'Valid: train, predict.'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await bench(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('densenet bench peers', () => {
  test('writes one line a contender, and says why one failed', async () => {
    const folder = await temporaryFolder();
    const contenders = ['--contenders', 'native,pytorch', '--pytorch-python', '/nonexistent/python'];
    const scope = ['--cases', 'bc-100-12-single', '--rounds', '2', '--steps', '1', '--output', folder];
    const { code, stderr } = await run(folder, ['bench', 'peers', ...scope, ...contenders]);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: pytorch: /nonexistent/python cannot be started (ENOENT)');
    const csv = await readFile(join(folder, 'peers.csv'), 'utf8');
    const [native, pytorch] = parse(csv, { columns: true }) as [
      Record<string, string>,
      Record<string, string>,
    ];
    expect(native).toMatchObject({ contender: 'native', rounds: '2', n: '2', batch: '1', failure: '' });
    expect(Number(native.images_per_second)).toBeGreaterThan(0);
    expect(pytorch).toMatchObject({ contender: 'pytorch', rounds: '0', images_per_second: '' });
    expect(await readFile(join(folder, 'peers.svg'), 'utf8')).toMatch(/^<svg /);
  });

  test('--resume measures what the files do not have, and leaves the rest as it is', async () => {
    const folder = await temporaryFolder();
    const more = ['--contenders', 'native', '--rounds', '1', '--steps', '1', '--output', folder, '--resume'];
    const peers = (cases: string) => run(folder, ['bench', 'peers', '--cases', cases, ...more]);
    const csv = () => readFile(join(folder, 'peers.csv'), 'utf8');
    await peers('bc-100-12-single-predict');
    const first = await csv();
    const { stdout } = await peers('bc-100-12-single-predict,bc-100-12-single');
    expect(stdout).toContain('BC L=100 k=12, batch 1, prediction: measured in the run of 20');
    expect((await csv()).startsWith(first)).toBe(true);
    const cases = (parse(await csv(), { columns: true }) as { case: string }[]).map((line) => line.case);
    expect(cases).toEqual(['bc-100-12-single-predict', 'bc-100-12-single']);

    await writeFile(join(folder, 'peers.csv'), first.replaceAll(/,\d+,linux/g, ',1000,linux'));
    const other = await peers('bc-100-12-single');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('was measured on another machine');
  });

  test('ends what it is measuring when it is stopped', async () => {
    const folder = await temporaryFolder();
    const script = '#!/bin/sh\necho $$ > pid.new && mv pid.new pid && exec sleep 600\n';
    await writeFile(join(folder, 'python'), script, { mode: 0o755 });
    const scope = ['--cases=bc-100-12', '--contenders=pytorch', '--pytorch-python=./python', '--output=.'];
    const running = start(folder, ['bench', 'peers', ...scope]);
    const measuring = await vi.waitFor(() => readFile(join(folder, 'pid'), 'utf8'), { timeout: 60_000 });
    running.process.kill('SIGTERM');
    const { code, stderr } = await running.ended;
    expect(stderr).toBe('warning: stopping; the cases that are done are kept: go on with --resume\n');
    expect(code).toBe(143);
    expect(() => process.kill(Number(measuring), 0)).toThrow('ESRCH');
  });

  test('refuses a GPU that is not there', async () => {
    const hidden = { CUDA_VISIBLE_DEVICES: '-1' };
    const { code, stderr } = await run(await temporaryFolder(), ['bench', 'peers', '--device=gpu'], hidden);
    expect(code).toBe(4);
    expect(stderr).toContain('error: a GPU was asked for, but ');
  });

  test('refuses contenders that can measure nothing of what is asked', async () => {
    const args = ['bench', 'peers', '--cases=bc-100-12', '--contenders=openvino'];
    const { code, stderr } = await run(await temporaryFolder(), args);
    expect(code).toBe(2);
    expect(stderr).toContain('error: openvino cannot measure any of these cases on the CPU');
  });

  test('refuses an unknown case, with the nearest', async () => {
    const { code, stderr } = await run(await temporaryFolder(), ['bench', 'peers', '--cases', 'bc-41-12']);
    expect(code).toBe(2);
    expect(stderr).toContain("There is no 'bc-41-12'. Did you mean 'bc-40-12'?");
  });
});

test('bench input measures the input pipeline and sharp alone, on synthetic images where ImageNet is not here', async () => {
  const args = ['bench', 'input', '--images=20', '--rounds=3', '--workers=2', '--data=nothing', '--json'];
  const { code, stdout, stderr } = await run(await temporaryFolder(), args);
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as InputBenchReport;
  expect(report).toMatchObject({
    images: 20,
    batch: 64,
    workers: 2,
    data: expect.stringContaining('synthetic'),
  });
  for (const { median, min, max, n } of [report.pipeline, report.sharp]) {
    expect(n).toBe(3);
    expect(min > 0 && min <= median && median <= max).toBe(true);
  }
  expect(report.ratio).toBeCloseTo(report.pipeline.median / report.sharp.median, 9);
});
