import { describe, expect, test } from 'vitest';
import { textTable, textWidth } from '../../src/util/text-table.js';

const TABLE = {
  columns: ['run', 'status', 'epochs', 'error', 'problem'],
  right: ['epochs', 'error'],
  drop: ['epochs', 'problem', 'error'],
  rows: [
    ['quickstart/20261124-101500-seed-1', 'finished', '8', '12.50', ''],
    ['smoke/20261124-101500-seed-1', 'failed', '1', '', 'cannot write results: the disk is full (ENOSPC)'],
  ],
};

describe('textTable', () => {
  test('without a limit has every column in one line per row', () => {
    const { lines, leftOut } = textTable(TABLE);
    expect(lines).toEqual([
      'run                                status    epochs  error  problem',
      'quickstart/20261124-101500-seed-1  finished       8  12.50',
      'smoke/20261124-101500-seed-1       failed         1         cannot write results: the disk is full (ENOSPC)',
    ]);
    expect(leftOut).toEqual([]);
  });

  test('wraps long texts before it leaves out columns', () => {
    expect(textTable(TABLE, 90)).toEqual({
      lines: [
        'run                                status    epochs  error  problem',
        'quickstart/20261124-101500-seed-1  finished       8  12.50',
        'smoke/20261124-101500-seed-1       failed         1         cannot write results: the disk',
        '                                                            is full (ENOSPC)',
      ],
      leftOut: [],
    });
  });

  test('leaves out columns in the order that is given', () => {
    expect(textTable(TABLE, 80).leftOut).toEqual(['epochs']);
    expect(textTable(TABLE, 60).leftOut).toEqual(['epochs', 'problem']);
    expect(textTable({ ...TABLE, drop: undefined }, 60).leftOut).toEqual(['problem']);
  });

  test('fits any width, as long as it has room for a few letters', () => {
    for (let width = 10; width < 140; width++) {
      const { lines } = textTable(TABLE, width);
      expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(width);
      if (width >= 22) expect(lines.join('\n')).toMatch(/finished.*failed/s);
    }
  });

  test('aligns characters that are two columns wide', () => {
    const rows = [
      ['スニーカー', '1'],
      ['boot', '10'],
    ];
    const { lines } = textTable({ columns: ['class', 'images'], right: ['images'], rows });
    expect(lines.map(textWidth)).toEqual([18, 18, 18]);
  });
});
