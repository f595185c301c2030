import { expect, test } from 'vitest';
import { barLine } from '../../src/cli/bar-line.js';

const epoch = {
  label: 'epoch 12/300',
  done: 0.25,
  count: '195/782',
  left: '1 min 20 s left',
  notes: ['error 45.1 %', 'run: 23 h 59 min left', 'loss 1.234', '1234 images/s'],
};

test.each([
  [
    150,
    'epoch 12/300 ██████░░░░░░░░░░░░░░░░░░ 195/782 · 1 min 20 s left · error 45.1 % · run: 23 h 59 min left · loss 1.234 · 1234 images/s',
  ],
  [
    119,
    'epoch 12/300 ███░░░░░░░░░ 195/782 · 1 min 20 s left · error 45.1 % · run: 23 h 59 min left · loss 1.234 · 1234 images/s',
  ],
  [79, 'epoch 12/300 █████░░░░░░░░░░░░░░ 195/782 · error 45.1 % · run: 23 h 59 min left'],
  [65, 'epoch 12/300 195/782 · error 45.1 % · run: 23 h 59 min left'],
  [39, 'epoch 12/300 195/782 · error 45.1 %'],
  [16, 'epoch 1… 195/782'],
])('in %i columns, what matters most is shown', (width, line) => {
  expect(barLine(epoch, width)).toBe(line);
  expect(line.length).toBeLessThanOrEqual(width);
});

test('no width is too small, and wide characters count twice', () => {
  for (let width = 0; width < 200; width++) expect(barLine(epoch, width).length).toBeLessThanOrEqual(width);
  expect(barLine({ ...epoch, label: '漢字漢字', notes: [] }, 15)).toBe('漢字漢… 195/782');
});
