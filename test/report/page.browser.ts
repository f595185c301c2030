import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { MAX_BYTES, reportPage } from '../../src/report/page.js';
import { folder, someReport } from './made-report.js';

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
