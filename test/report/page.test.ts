import { describe, expect, it } from 'vitest';
import { MAX_BYTES, reportPage } from '../../src/report/page.js';
import { gatherReport } from '../../src/report/report.js';
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
});
