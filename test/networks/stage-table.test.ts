import { describe, expect, it } from 'vitest';
import { multiplyAdds, parameterCount } from '../../src/networks/counts.js';
import { buildDenseNet } from '../../src/networks/densenet.js';
import { stageTable } from '../../src/networks/stage-table.js';
import { readTable } from '../../src/tables/paper-csv.js';

const bc = { bottleneck: true, compression: 0.5, dropout: 0 };
const IMAGENET = { channels: 3, height: 224, width: 224, classes: 1000 };

describe('stageTable', () => {
  it.each(readTable('table1'))('prints $method as the paper does', (row) => {
    const blocks = [row.block1, row.block2, row.block3, row.block4].map(Number);
    const options = { ...bc, depth: Number(row.depth), growthRate: Number(row.growth_rate), blocks };
    const rows = stageTable(buildDenseNet(options, IMAGENET));
    const block = (n: number) => `[1×1 conv, 3×3 conv] × ${blocks[n - 1]}`;
    expect(
      rows.flatMap(({ title, layers }) =>
        layers.map(({ text, output }) => [title, `${output.height}×${output.width}`, text]),
      ),
    ).toEqual([
      ['Convolution', '112×112', '7×7 conv, stride 2'],
      ['Pooling', '56×56', '3×3 max pool, stride 2'],
      ['Dense Block (1)', '56×56', block(1)],
      ['Transition Layer (1)', '56×56', '1×1 conv'],
      ['Transition Layer (1)', '28×28', '2×2 average pool, stride 2'],
      ['Dense Block (2)', '28×28', block(2)],
      ['Transition Layer (2)', '28×28', '1×1 conv'],
      ['Transition Layer (2)', '14×14', '2×2 average pool, stride 2'],
      ['Dense Block (3)', '14×14', block(3)],
      ['Transition Layer (3)', '14×14', '1×1 conv'],
      ['Transition Layer (3)', '7×7', '2×2 average pool, stride 2'],
      ['Dense Block (4)', '7×7', block(4)],
      ['Classification Layer', '1×1', '7×7 global average pool'],
      ['Classification Layer', '1×1', '1000D fully-connected, softmax'],
    ]);
  });

  it('adds up to the whole network', () => {
    const network = buildDenseNet(
      { depth: 100, growthRate: 12, ...bc },
      { channels: 3, height: 32, width: 32, classes: 10 },
    );
    const rows = stageTable(network);
    expect(rows.reduce((sum, row) => sum + row.parameters, 0)).toBe(parameterCount(network));
    expect(rows.reduce((sum, row) => sum + row.multiplyAdds, 0)).toBe(multiplyAdds(network));
    expect(rows[0]?.layers[0]?.text).toBe('3×3 conv');
  });
});
