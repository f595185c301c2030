import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withPage } from '../browser.js';
import { start, temporaryFolder } from '../program.js';

const TRAIN = [
  'train',
  '--config=smoke-fashion-mnist-mini',
  '--set=training.epochs=100000',
  '--set=training.batchSize=32',
  '--engine=native',
];

test('a run under way is followed in Chromium, at every size, light and dark, until the server ends', async () => {
  const folder = await temporaryFolder();
  const training = start(folder, TRAIN);
  onTestFinished(() => void training.process.kill('SIGKILL'));
  const watching = start(folder, ['watch']);
  onTestFinished(() => void watching.process.kill('SIGKILL'));
  let output = '';
  watching.process.stdout!.on('data', (chunk) => {
    output += chunk;
  });
  await watching.seen(/Open http/);
  const url = /http:\S+/.exec(output)![0];
  await withPage(url, async (page) => {
    const shown = "document.querySelector('progress')?.value";
    await page.until("document.querySelector('#connection')?.textContent === 'Live'");
    await page.until(`${shown} > 0`);
    const before = await page.evaluate<number>(shown);
    await page.until(`${shown} > ${before}`);
    await page.until("document.querySelectorAll('.charts svg path').length > 4");
    expect(await page.evaluate("document.querySelector('.state').textContent")).toBe('running');
    expect(await page.evaluate("document.querySelector('.log').textContent")).toMatch(/test error/);
    const bars = "[...document.querySelectorAll('progress')].every(({ labels }) => labels.length === 1)";
    expect(await page.evaluate(bars)).toBe(true);
    const backs = new Set<string>();
    for (const scheme of ['light', 'dark'] as const) {
      for (const width of [400, 1280, 3840]) {
        await page.look(width, 900, scheme);
        await page.until(`innerWidth === ${width}`);
        expect(await page.evaluate('document.documentElement.scrollWidth'), `${width}`).toBe(width);
        const small =
          '[...document.querySelectorAll(".charts svg")].some((svg) => svg.getBoundingClientRect().width < 300)';
        expect(await page.evaluate(small), `${width}`).toBe(false);
      }
      backs.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    }
    expect(backs.size).toBe(2);
    training.process.kill('SIGINT');
    await page.until("document.querySelector('.state').textContent === 'interrupted'");
    watching.process.kill('SIGINT');
    expect(await watching.ended).toMatchObject({ code: 0, stderr: '' });
    await page.until("document.querySelector('#connection').textContent.startsWith('Not connected')");
    // The end of the server is all that the browser has to complain of.
    for (const message of page.messages) expect(message).toContain('ERR_');
    const again = start(folder, ['watch', '--port', new URL(url).port]);
    onTestFinished(() => void again.process.kill('SIGKILL'));
    await page.until("document.querySelector('#connection').textContent === 'Live'");
  });
  expect(await readdir(join(folder, 'results', 'runs'))).toEqual(['smoke-fashion-mnist-mini']);
});
