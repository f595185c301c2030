import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MAX_BYTES, reportPage } from '../../src/report/page.js';
import { gatherReport } from '../../src/report/report.js';
import { readRunRecord } from '../../src/runs/run-records.js';
import { silent } from '../../src/util/reporter.js';
import { record, someReport } from './made-report.js';

describe('reportPage', () => {
  it('is one small file that needs no other', async () => {
    const page = reportPage(await someReport());
    expect(Buffer.byteLength(page)).toBeLessThan(500_000);
    expect(page).not.toMatch(/<script|<img|@import|src=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page.match(/<svg /g)).toHaveLength(1 + 3);
    for (const text of [
      'Learning curves',
      'Feature reuse',
      '5.50 (n=1)',
      'the disk is full',
      '&quot;seed&quot;',
    ])
      expect(page).toContain(text);
  });

  it('shows what eval found, with its pictures in the page, as long as it is of the last epoch', async () => {
    const made = await record('quickstart', { errors: [60, 30] });
    const evaluation = {
      epoch: 2,
      count: 4,
      error: 25,
      classNames: ['cat', 'dog'],
      confusion: [
        [0, 0, 2],
        [1, 0, 1],
        [1, 1, 1],
      ],
      calibration: { error: 0.1, bins: [{ count: 4, confidence: 0.7, accuracy: 0.75 }] },
      mistakes: [
        {
          name: 'test/dog/<1>.png',
          label: 1,
          predicted: 0,
          confidence: 0.987,
          picture: 'data:image/png;base64,AAAA',
        },
      ],
      engine: 'native',
      densenet: '1',
    };
    const page = async (changes: object) => {
      await made.folder.writeJson(made.folder.evaluation, { ...evaluation, ...changes });
      return reportPage(
        await gatherReport([readRunRecord(made.folder)], { heatMaps: false, reporter: silent }),
      );
    };
    const whole = await page({});
    expect(whole.match(/<svg /g)).toHaveLength(3);
    expect(whole).toContain('<img class="pixels" src="data:image/png;base64,AAAA"');
    expect(whole).toContain('dog, taken for cat (98.7 %)<br>dog/&lt;1&gt;.png');
    expect(await page({ epoch: 1 })).not.toContain('<img');
    const elsewhere = { ...evaluation.mistakes[0], picture: 'https://example.com/a.png' };
    expect(await page({ mistakes: [elsewhere] })).not.toContain('<img');
  });

  it('escapes what people write', async () => {
    const page = reportPage(
      await gatherReport(
        [
          await record('quickstart', {
            set: ['description=<script>alert(1)</script>'],
            status: 'failed',
            message: '"><img src=x onerror=alert(2)>',
          }),
        ],
        { heatMaps: false, reporter: silent },
      ),
    );
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&lt;script&gt;alert(1)');
    expect(page).toContain('&lt;img src=x');
  });

  it('leaves out, with a warning, what cannot be read', async () => {
    const curves = await record('quickstart', {});
    await writeFile(curves.folder.epochs, 'epoch\nx\n');
    const weights = await record('quickstart', {});
    await writeFile(weights.folder.checkpoint('last'), 'x');
    const config = await record('quickstart', {});
    await writeFile(config.folder.config, '{');
    const [cut, odd] = [curves, config].map(({ folder }) => readRunRecord(folder));
    const records = [await record('smoke-cifar10', {}), cut!, weights, odd!];
    const warnings: string[] = [];
    const reporter = { ...silent, warn: (text: string) => warnings.push(text) };
    const page = reportPage(await gatherReport(records, { heatMaps: true, reporter }));
    expect(warnings).toHaveLength(3);
    for (const [index, file] of ['epochs.csv', 'last.safetensors', 'config.json'].entries())
      expect(warnings[index]).toContain(file);
    for (const { folder } of records) expect(page).toContain(folder.name);
    expect(page).toContain('Learning curves');
  });

  it('is refused when it would be too large', async () => {
    const message = 'x'.repeat(MAX_BYTES);
    const report = await gatherReport([await record('quickstart', { status: 'failed', message })], {
      heatMaps: false,
      reporter: silent,
    });
    expect(() => reportPage(report)).toThrow(/would be 3\.0 MB, and 3 MB is the limit/);
  });
});
