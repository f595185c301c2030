import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, startInTerminal, temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

const TRAIN = ['train', '--config=smoke-fashion-mnist-mini', '--subset=320', '--threads=1'];
const CTRL_C = '\x03';

/** A drawing of a bar: what is written between erasing the line and going back to its beginning; news ends a line. */
const DRAWING = /\[J(epoch[^\r]+)\r(?!\n)/g;

/** One with the error, in less than 50 columns. */
const SHORT = /\[J(?=[^\r]{1,49}\r(?!\n))[^\r]*error \d/;

test('the bar has the error and the time left in 80 columns, and fits when the terminal becomes narrower', async () => {
  const running = startInTerminal(await temporaryFolder(), [...TRAIN, '--set=training.epochs=1000']);
  await running.seen(/error \d.*run: /);
  const [terminal] = (await running.seen(/^\/dev\/\S+/)).split(/\s/);
  execFileSync('stty', ['-F', terminal!, 'cols', '50']);
  await running.seen(SHORT);
  running.process.stdin!.write(CTRL_C);
  const { stdout } = await running.ended;
  const narrow = SHORT.exec(stdout)!.index;
  for (const [, line] of stdout.slice(0, narrow).matchAll(DRAWING)) expect(line!.length).toBeLessThan(80);
  const after = [...stdout.slice(narrow).matchAll(DRAWING)];
  expect(after).not.toEqual([]);
  for (const [, line] of after) expect(line!.length).toBeLessThan(50);
});

test('a terminal that can do nothing gets plain lines', async () => {
  const options = [...TRAIN, '--subset=64', '--set=training.epochs=1'];
  const running = startInTerminal(await temporaryFolder(), options, { TERM: 'dumb' });
  const { code, stdout } = await running.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('epoch 1/1 · learning rate');
  expect(stdout).not.toContain('\x1b');
});

test('tables fit the terminal; with --wide, and where there is none, they have every column', async () => {
  const folder = await temporaryFolder();
  const made = await makeRun(join(folder, 'results'), 'quickstart');
  const piped = (await run(folder, ['runs', 'list'])).stdout.trimEnd().split('\n');
  expect(piped[0]).toMatch(/^run .* engine .* started$/);
  const inTerminal = async (columns: number, ...options: string[]) => {
    const { stdout } = await startInTerminal(folder, ['runs', 'list', ...options], { columns }).ended;
    // The first line is the name of the terminal.
    return stdout.trimEnd().split('\r\n').slice(1);
  };
  const [wide, ...fitted] = await Promise.all([
    inTerminal(40, '--wide'),
    ...[40, 80, 120].map((columns) => inTerminal(columns)),
  ]);
  expect(wide).toEqual(piped);
  for (const [index, [columns, shown]] of [
    [40, /^run +status$/],
    [80, /^run +status +epochs +of +test error$/],
    [120, /^run +status .* dataset .* test error +best +time$/],
  ].entries() as ArrayIterator<[number, [number, RegExp]]>) {
    const [header, row, ...rest] = fitted[index]!;
    expect(header).toMatch(shown);
    expect([header, row].filter((line) => line!.length > columns)).toEqual([]);
    expect(row).toMatch(/^\S+ +finished/);
    if (columns >= 80) expect(row).toContain(made.name);
    expect(rest.join(' ')).toMatch(/With --wide also: .*engine/);
  }
});
