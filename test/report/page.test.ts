import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { MAX_BYTES, reportPage } from '../../src/report/page.js';
import { gatherReport } from '../../src/report/report.js';
import { readRunRecord } from '../../src/results/run-records.js';
import { networkOf } from '../../src/training/open.js';
import { type MadeRun, makeRun } from '../results/make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function record(config: string, run: MadeRun = {}) {
  const made = await makeRun(folder, config, run);
  const result = await readRunRecord(made);
  const network = networkOf(result.experiment!);
  await writeFile(made.checkpoint('last'), weightsFile(network, initialValues(network, 1)));
  return result;
}

async function someReport() {
  const records = [
    await record('quickstart', { errors: [60, 30, 20] }),
    await record('cifar10plus-40-12', { errors: [60, 5.5] }),
    await record('smoke-svhn', { errors: [], status: 'failed', message: 'the disk is full' }),
  ];
  return gatherReport(records, { heatMaps: true });
}

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
        { heatMaps: false },
      ),
    );
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&lt;script&gt;alert(1)');
    expect(page).toContain('&lt;img src=x');
  });

  it('is refused when it would be too large', async () => {
    const message = 'x'.repeat(MAX_BYTES);
    const report = await gatherReport([await record('quickstart', { status: 'failed', message })], {
      heatMaps: false,
    });
    expect(() => reportPage(report)).toThrow(/would be 3\.0 MB, and 3 MB is the most/);
  });

  it('opens in Chromium without an error, and its charts are drawn', async () => {
    const page = reportPage(await someReport());
    const probe = `<script>
document.body.dataset.charts = [...document.querySelectorAll('figure svg')]
  .map((svg) => [...svg.querySelectorAll('path, rect, text')].filter((e) => e.getBoundingClientRect().width > 0).length)
  .join();
console.error('the probe was here');
</script>`;
    const path = join(folder, 'report.html');
    await writeFile(path, page.replace('</body>', `${probe}</body>`));
    const { stdout, stderr } = await promisify(execFile)(
      process.env.CHROMIUM ?? 'chromium',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--enable-logging=stderr',
        '--dump-dom',
        `file://${path}`,
      ],
      { maxBuffer: 2 * MAX_BYTES },
    );
    const messages = stderr.split('\n').filter((line) => line.includes(':CONSOLE'));
    expect(messages).toEqual([expect.stringContaining('the probe was here')]);
    const charts = /data-charts="([\d,]+)"/.exec(stdout)![1]!.split(',').map(Number);
    expect(charts).toHaveLength(4);
    for (const drawn of charts) expect(drawn).toBeGreaterThan(25);
  });
});
