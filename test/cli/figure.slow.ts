import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { run, temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

describe('figure and report', () => {
  test('draw what a run left', async () => {
    const folder = await temporaryFolder();
    const small = ['--config=smoke-fashion-mnist-mini', '--subset=64', '--engine=native', '--quiet'];
    expect((await run(folder, ['train', ...small])).code).toBe(0);
    for (const args of [
      ['curves', 'smoke-fashion-mnist-mini'],
      ['5', 'smoke-fashion-mnist-mini'],
      ['4-left'],
      ['4-middle'],
    ]) {
      const { code, stderr } = await run(folder, ['figure', ...args]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }
    const figures = join(folder, 'results', 'figures');
    expect((await readdir(figures)).sort()).toEqual(
      ['curves', 'figure-4-left', 'figure-4-middle', 'figure-5'].flatMap((name) => [
        `${name}.csv`,
        `${name}.png`,
        `${name}.svg`,
      ]),
    );
    const reuse = parse<Record<string, string>>(await readFile(join(figures, 'figure-5.csv')), {
      columns: true,
    });
    expect(new Set(reuse.map(({ block }) => block))).toEqual(new Set(['1', '2', '3']));
    expect(reuse.every(({ mean_absolute_weight }) => Number(mean_absolute_weight) > 0)).toBe(true);

    const report = await run(folder, [
      'report',
      'smoke-fashion-mnist-mini',
      '--output=pages/a.html',
      '--json',
    ]);
    expect(JSON.parse(report.stdout)).toMatchObject({ file: 'pages/a.html' });
    expect(await readFile(join(folder, 'pages', 'a.html'), 'utf8')).toContain('Feature reuse');
  });

  test('say which folder cannot be made', async () => {
    const folder = await temporaryFolder();
    const { name } = await makeRun(join(folder, 'results'), 'quickstart');
    await writeFile(join(folder, 'file'), '');
    for (const [args, option] of [
      [['figure', '3', '--output=file/figures'], 'another place with --output'],
      [['figure', 'curves', name, '--output=/proc/densenet'], 'another place with --output'],
      [['report', name, '--output=file/pages/a.html'], '--output FILE'],
    ] as const) {
      const { code, stderr } = await run(folder, args);
      expect(stderr).toMatch(/^error: cannot make the folder (file|\/proc)[^\n]*\n[^\n]*\n$/);
      expect(stderr).toContain(option);
      expect(code).toBe(3);
    }
  });

  test('say what is wrong in one line', async () => {
    const folder = await temporaryFolder();
    const waiting = await makeRun(join(folder, 'results'), 'quickstart', { errors: [], status: 'failed' });
    for (const [args, says] of [
      [['figure', '5'], /figure 5 takes one run/],
      [['figure', '4-right', waiting.name], /takes two runs/],
      [['figure', 'curves', waiting.name], /has no finished epoch/],
      [['figure', '4-left'], /no finished runs/],
      [['figure', '4-left', 'quikstart'], /no experiment 'quikstart'/],
      [['report', 'nothing'], /no run 'nothing'/],
    ] as const) {
      const { code, stderr } = await run(folder, args);
      expect(code, stderr).toBe(2);
      expect(stderr.trim().split('\n')).toHaveLength(2);
      expect(stderr).toMatch(says);
    }
  });
});
