import { expect, test } from 'vitest';
import { parseCsv } from '../../src/bench/suite/table.js';
import { speedTable } from '../../src/published/speed.js';

const csv = `case,contender,version,batch,images_per_second,round_ms_medians,ratio_to_fastest_peer,share_of_peak,peak_rss_mb
bc-100-12,native,native engine,64,80.00,800.0 820.0 790.0,2.67,0.812,573
bc-100-12,keras,"Keras 3.15.1, TensorFlow 2.21.0",64,29.90,2140.5,1.00,0.304,3353
bc-100-12,pytorch,"PyTorch 2.13.0+cpu",64,30.00,2133.3,1.00,0.305,3001
bc-40-12,native,native engine,64,,,,,
bc-190-40,native,native engine,8,2.80,2857.1,,0.870,1356
`;

test('an engine stands beside the fastest of its peers; what has no peer, or was not measured, is left out', () => {
  const rows = speedTable(parseCsv(csv)).split('\n').slice(2);
  expect(rows).toEqual([
    '| BC L=100 k=12, batch 64 | 80.0 (78.0 to 81.0) | PyTorch 2.13.0 | 30.0 | 2.67 × | 81 % | 573, 3001 |',
  ]);
});

test('a table of a GPU has the TensorFlow engine, without columns of the CPU', () => {
  const gpu = csv.replace('native,native engine,64,80', 'tensorflow,TensorFlow 2.21.0 on GPU,64,80');
  const [heads, , row] = speedTable(parseCsv(gpu.replace(/^.*native engine.*\n/gm, ''))).split('\n');
  expect(heads).toBe(
    '| network, batch | TensorFlow engine, images/s | fastest of the others | images/s | ratio |',
  );
  expect(row).toBe('| BC L=100 k=12, batch 64 | 80.0 (78.0 to 81.0) | PyTorch 2.13.0 | 30.0 | 2.67 × |');
});
