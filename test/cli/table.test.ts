import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { run, temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

describe('table', () => {
  test('prints Table 2 as text, CSV and Markdown, from the runs on disk', async () => {
    const folder = await temporaryFolder();
    const results = join(folder, 'results');
    await makeRun(results, 'cifar10plus-bc-100-12', { errors: [60, 4.63] });
    await makeRun(results, 'quickstart', { status: 'interrupted' });
    const text = await run(folder, ['table', '2']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain('4.63 (n=1)');
    expect(text.stdout).not.toContain('SVHN ours');

    const csv = await run(folder, ['table', '2', '--format=csv', '--measured-only']);
    expect(parse(csv.stdout, { columns: true })).toMatchObject([
      {
        method: 'DenseNet-BC (k=12)',
        depth: '100',
        'C10+_paper': '4.51',
        'C10+_mean': '4.63',
        'C10+_sd': '',
      },
    ]);
    const markdown = await run(folder, ['table', '2', '--format=md']);
    expect(markdown.stdout.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(2 + 21);
    const json = await run(folder, ['table', '2', '--json', '--measured-only']);
    expect(JSON.parse(json.stdout)).toMatchObject({ rows: [{ depth: 100 }], others: [] });
  });

  test('prints Tables 1 and 3 without any run', async () => {
    const folder = await temporaryFolder();
    expect((await run(folder, ['table', '1'])).stdout).toContain('[1×1 conv, 3×3 conv] × 64');
    expect((await run(folder, ['table', '3'])).stdout).toContain('From secondary sources, not in the paper');
  });

  test('has in the JSON of Table 3 also what is no row of it', async () => {
    const folder = await temporaryFolder();
    await makeRun(join(folder, 'results'), 'imagenet-resnet-50', { errors: [24.5] });
    const { rows, others } = JSON.parse((await run(folder, ['table', '3', '--json'])).stdout);
    expect(rows[0]).toMatchObject({ model: 'DenseNet-121 (k=32)', top1_single_crop_paper: '25.02' });
    expect(others).toMatchObject([{ depth: '50', 'top-1 single crop': '24.50 (n=1)' }]);
  });

  test('says that Table 1 is not measured, and which tables there are', async () => {
    const folder = await temporaryFolder();
    const measured = await run(folder, ['table', '1', '--measured-only']);
    expect(measured.code).toBe(2);
    expect(measured.stderr).toMatch(/^error: Table 1 has nothing to measure/);
    const unknown = await run(folder, ['table', '4']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('1, 2, 3');
  });
});
