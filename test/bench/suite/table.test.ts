import { describe, expect, test } from 'vitest';
import { CASES } from '../../../src/bench/suite/cases.js';
import { speedChart } from '../../../src/bench/suite/chart.js';
import {
  CONTENDERS,
  type ContenderName,
  type Round,
  takesPart,
} from '../../../src/bench/suite/contenders.js';
import { isMeasured } from '../../../src/bench/suite/index.js';
import { type CaseResult, caseNetwork } from '../../../src/bench/suite/run.js';
import { compare, parseCsv, toCsv, toLine } from '../../../src/bench/suite/table.js';
import { loadExperiment } from '../../../src/config/load.js';
import { multiplyAdds, parameterCount } from '../../../src/networks/counts.js';
import { networkOf } from '../../../src/training/model.js';

const subject = CASES.find(({ id }) => id === 'bc-100-12')!;
const network = caseNetwork(subject);

function round(times: number[], changes: Partial<Round> = {}): Round {
  const parameters = 769_162;
  return { times, parameters, peakRssBytes: 1e9, version: 'v', peakFlopsPerSecond: undefined, ...changes };
}

function result(contender: ContenderName, rounds: Round[], failure?: string): CaseResult {
  return { subject, network, contender, gpu: undefined, threads: 2, rounds, failure };
}

const results = [
  result('native', [
    round([700, 800], { peakFlopsPerSecond: 300e9 }),
    round([800, 900], { peakFlopsPerSecond: 320e9, peakRssBytes: 2e9 }),
  ]),
  result('pytorch', [round([3200])]),
  result('keras', [round([1600])]),
  result('tensorflow', [], 'no library'),
];

describe('compare', () => {
  const [native, pytorch, keras, tensorflow] = compare(results);

  test('pools the steps of all rounds', () => {
    expect(native!.step).toEqual({ median: 800, min: 700, max: 900, n: 4 });
    expect(native!.imagesPerSecond).toBe(80);
    expect(native!.peakRssBytes).toBe(2e9);
  });

  test('measures against the faster peer', () => {
    expect([native!.ratio, pytorch!.ratio, keras!.ratio]).toEqual([2, 0.5, 1]);
  });

  test('prediction has the runtimes of ONNX files as peers, training has not', () => {
    const predict = CASES.find(({ id }) => id === 'bc-100-12-predict')!;
    const taking = (one: typeof subject) => CONTENDERS.filter((name) => takesPart(name, one, undefined));
    expect(taking(predict)).toEqual([...CONTENDERS]);
    expect(taking(subject)).toEqual(['native', 'tensorflow', 'pytorch', 'pytorch-compile', 'keras']);
  });

  test('on a GPU those take part that can use one', () => {
    const predict = CASES.find(({ id }) => id === 'bc-100-12-predict')!;
    const taking = CONTENDERS.filter((name) => takesPart(name, predict, 'A GPU'));
    expect(taking).toEqual(['tensorflow', 'pytorch', 'pytorch-compile', 'keras']);
  });

  test('gives every contender its share of the peak: three passes, two FLOPs a multiply-add', () => {
    expect(native!.shareOfPeak).toBeCloseTo((6 * multiplyAdds(network) * 80) / 320e9, 12);
    expect(keras!.shareOfPeak).toBeCloseTo(native!.shareOfPeak! / 2, 12);
  });

  test('leaves undefined what was not measured', () => {
    const nothing = { step: undefined, imagesPerSecond: undefined, ratio: undefined, shareOfPeak: undefined };
    expect(tensorflow).toMatchObject({ ...nothing, peakRssBytes: undefined });
    expect(compare([result('native', [round([100])])])[0]).toMatchObject({ ratio: undefined });
  });
});

test('a table from before there was a column for the device is one of the CPU', () => {
  const old = toCsv(lines(results)).replace(',device', '').replaceAll(',CPU,', ',');
  expect(parseCsv(old).map(({ device }) => device)).toEqual(Array(4).fill('CPU'));
});

test('a case is measured if every contender made as many steps as are asked for', () => {
  const asked = {
    gpu: undefined,
    contenders: ['native', 'pytorch', 'openvino'],
    rounds: 2,
    steps: 1,
    threads: 2,
  } as const;
  const there = lines([
    result('native', [round([1]), round([2])]),
    result('pytorch', [round([1]), round([2])]),
  ]);
  expect(isMeasured(subject, there, asked)).toBe(true);
  expect(isMeasured(subject, there, { ...asked, contenders: CONTENDERS })).toBe(false);
  expect(isMeasured(subject, there, { ...asked, rounds: 3 })).toBe(false);
  expect(isMeasured(subject, there, { ...asked, steps: 2 })).toBe(false);
  expect(isMeasured(subject, there, { ...asked, threads: 1 })).toBe(false);
  const failed = lines([
    result('native', [round([1]), round([2])]),
    result('pytorch', [round([1])], 'no memory'),
  ]);
  expect(isMeasured(subject, failed, asked)).toBe(false);
});

const provenance = {
  machine: { cpu: 'A CPU', cores: 2, memoryBytes: 1e9, platform: 'linux x64' },
  git: { commit: 'abc', dirty: true },
  date: '2026-01-02',
};
const lines = (of: CaseResult[]) => compare(of).map((row) => toLine(row, provenance));

test('CSV: one line a contender, empty where nothing was measured; read as it was written', () => {
  const csv = toCsv(lines(results));
  const records = parseCsv(csv);
  expect(records).toHaveLength(4);
  expect(records[0]).toEqual({
    case: 'bc-100-12',
    network: 'DenseNet-BC (L=100, k=12)',
    input: '3x32x32',
    mode: 'train',
    batch: '64',
    precision: 'float32',
    memory_efficient: 'no',
    contender: 'native',
    version: 'v',
    device: 'CPU',
    threads: '2',
    rounds: '2',
    n: '4',
    images_per_second: '80.00',
    step_ms_median: '800.0',
    step_ms_min: '700.0',
    step_ms_max: '900.0',
    round_ms_medians: '750.0 850.0',
    ratio_to_fastest_peer: '2.00',
    share_of_peak: '0.432',
    peak_rss_mb: '2000',
    failure: '',
    cpu: 'A CPU',
    cores: '2',
    platform: 'linux x64',
    commit: 'abc (changed)',
    date: '2026-01-02',
  });
  expect(records[3]).toMatchObject({ images_per_second: '', n: '', rounds: '0', failure: 'no library' });
  expect(toCsv(records)).toBe(csv);
  expect(() => parseCsv('a,b\n1,2\n')).toThrow('no columns case and contender');
});

test('chart: a bar for each contender that was measured beside a peer, as long as its ratio', () => {
  const svg = speedChart(lines(results), 'A <CPU> & more');
  const bars = [...svg.matchAll(/<rect x="300" y="\d+" width="(\d+\.\d)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(bars).toEqual([480, 120, 240]);
  expect(svg).toContain('BC L=100 k=12, batch 64');
  expect(svg).toContain('A &lt;CPU> &amp; more');
  expect(svg).toContain('2.00 × (80.0/s)');
  const fast = [result('native', [round([40])]), result('pytorch', [round([64])])];
  expect(speedChart(lines(fast), '')).toContain('1.60 × (1600/s)');
  expect(speedChart(lines([results[0]!]), 'no peer')).not.toContain('<rect x="300" y="74"');
});

test('cases: every identifier once, every network can be built', () => {
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length);
  const titles = CASES.map((each) => caseNetwork(each).title);
  expect(titles).toContain('DenseNet (L=100, k=24)');
  expect(titles).toContain('DenseNet-BC (L=250, k=12)');
});

// The numbers of benchmarks/peers/torch_resnet.py, which a run compares again.
test.each([
  ['preresnet-164', 1_703_258],
  ['wide-resnet-28-10', 36_479_194],
  ['resnet-50', 25_557_032],
])('%s: the engines get the network by a config, the peers by its options', async (id, parameters) => {
  const residual = CASES.find((each) => each.id === id)!;
  const network = caseNetwork(residual);
  expect(parameterCount(network)).toBe(parameters);
  expect(networkOf(await loadExperiment(residual.config!))).toEqual(network);
});
