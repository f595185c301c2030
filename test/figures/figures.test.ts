import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { curvesFigure, figure4Right, type RunCurve } from '../../src/figures/curves.js';
import { confusionFigure, reliabilityFigure } from '../../src/figures/evaluation.js';
import type { Figure } from '../../src/figures/figure.js';
import { figure3 } from '../../src/figures/figure3.js';
import { figure4Left } from '../../src/figures/figure4-left.js';
import { figure4Middle } from '../../src/figures/figure4-middle.js';
import { readPublishedCurve } from '../../src/figures/published-curve.js';
import { figureSvg } from '../../src/figures/svg.js';
import { figurePng, writeFigure } from '../../src/figures/write.js';
import type { EpochRow } from '../../src/runs/epochs.js';
import type { RunEvaluation } from '../../src/runs/evaluation.js';
import type { FinishedRun } from '../../src/runs/finished-runs.js';
import { measurements } from '../../src/tables/measurements.js';
import { paperRecipes } from '../../src/tables/paper-recipe.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-figures-'));
});
afterEach(() => rm(folder, { recursive: true }));

const recipes = await paperRecipes();
let runs = 0;
async function finished(config: string, testError: number, set: string[] = []): Promise<FinishedRun> {
  const experiment = await loadExperiment(config, { set });
  const name = `${experiment.name}/20261124-${String(++runs).padStart(6, '0')}-seed-1`;
  return { name, experiment, parameters: 1000 * runs, testError, init: false };
}

async function curve(name: string, losses: readonly number[]): Promise<RunCurve> {
  const epochs = losses.map(
    (loss, index): EpochRow => ({
      epoch: index + 1,
      learningRate: 0.1,
      trainLoss: loss,
      trainError: 10 * loss,
      testLoss: loss + 0.1,
      testError: 11 * loss,
      seconds: 1,
      imagesPerSecond: 1,
    }),
  );
  return { name, experiment: await loadExperiment('quickstart'), epochs };
}

describe('figure 3', () => {
  it("has the paper's errors at the exact counts, and the ResNets with their source", () => {
    const { points, legend } = figure3([], recipes);
    expect(points).toHaveLength(8);
    expect(points[0]).toMatchObject({
      series: 'DenseNet (paper)',
      network: 'DenseNet-121',
      parameters: 7_978_856,
      multiply_adds: 2_834_161_664,
      error: 25.02,
    });
    expect(points.at(-1)).toMatchObject({ network: 'ResNet-152', parameters: 60_192_808, error: 22.16 });
    expect(legend.map(({ label }) => label)).not.toContain('DenseNet (ours)');
    expect(new Set(legend.map(({ color }) => color)).size).toBe(legend.length);
  });

  it('adds what was measured in another colour', async () => {
    const measured = measurements([
      await finished('imagenet-densenet-121', 25.5),
      await finished('imagenet-densenet-169', 40, ['training.epochs=10']),
    ]);
    const { points, legend } = figure3(measured, recipes);
    expect(points.filter(({ series }) => series === 'DenseNet (ours)')).toMatchObject([
      { network: 'DenseNet-121', error: 25.5, parameters: 7_978_856 },
    ]);
    expect(new Set(legend.map(({ color }) => color)).size).toBe(3);
  });

  it('adds ResNets that were trained by the same recipe', async () => {
    const resnet = { ...(await finished('imagenet-resnet-50', 24.5)), parameters: 25_557_032 };
    const short = {
      ...(await finished('imagenet-resnet-101', 60, ['training.epochs=10'])),
      parameters: 44_549_160,
    };
    const { points, legend } = figure3(measurements([resnet, short]), recipes);
    expect(points.filter(({ series }) => series === 'ResNet (ours)')).toMatchObject([
      { network: 'ResNet-50', error: 24.5, parameters: 25_557_032, multiply_adds: 4_089_184_256 },
    ]);
    expect(legend.map(({ label }) => label)).toContain('ResNet (ours)');
  });
});

describe('figure 4 (left)', () => {
  it('groups by variant, with mean and spread over seeds', async () => {
    const b = ['network.bottleneck=true', 'network.compression=1'];
    const figure = figure4Left(
      measurements([
        await finished('quickstart', 20),
        await finished('quickstart', 22, ['training.seed=2']),
        await finished('quickstart', 25, b),
      ]),
    );
    expect(figure.legend.map(({ label }) => label)).toEqual(['DenseNet-B', 'DenseNet-BC']);
    expect(figure.points).toMatchObject([
      { series: 'DenseNet-BC', source: 'measured', error: 21, n: 2, sd: Math.SQRT2 },
      { series: 'DenseNet-B', source: 'measured', error: 25, n: 1, sd: undefined },
    ]);
  });

  it("draws the paper's networks of the same growth rate on a column of Table 2, apart from ours", async () => {
    const figure = figure4Left(measurements([await finished('cifar10plus-40-12', 5.3)]));
    expect(figure.points.filter(({ source }) => source === 'paper')).toMatchObject([
      { series: 'DenseNet', depth: 40, parameters: 1_019_722, error: 5.24, n: undefined },
      { series: 'DenseNet', depth: 100, error: 4.1 },
      { series: 'DenseNet-BC', depth: 100, parameters: 769_162, error: 4.51 },
    ]);
    const colors = figure.legend.map(({ label, color }) => [label, color]);
    expect(new Set(colors.map(([, color]) => color)).size).toBe(colors.length);
  });

  it('refuses to mix datasets or recipes', async () => {
    const a = await finished('quickstart', 20);
    const other = await finished('smoke-svhn', 20);
    expect(() => figure4Left(measurements([a, other]))).toThrow('several datasets: Fashion-MNIST-mini, SVHN');
    const longer = await finished('quickstart', 20, ['training.epochs=20']);
    expect(() => figure4Left(measurements([a, longer]))).toThrow('training.epochs');
    expect(() => figure4Left([])).toThrow('no finished runs');
  });
});

describe('figure 4 (middle)', () => {
  const preresnet = 'network={family: resnet, depth: 56, activation: pre, bottleneck: true}';

  it('compares DenseNet-BC with pre-activation ResNets, and leaves other networks out', async () => {
    const figure = figure4Middle(
      measurements([
        await finished('cifar10plus-bc-100-12', 4.6),
        await finished('cifar10plus-bc-100-12', 6.1, [preresnet]),
        await finished('cifar10plus-bc-100-12', 5.9, [preresnet, 'training.seed=2']),
        await finished('cifar10plus-40-12', 5.3),
        await finished('cifar10plus-wide-resnet-16-8', 4.8),
      ]),
    );
    expect(figure.name).toBe('figure-4-middle');
    expect(figure.legend.map(({ label }) => label)).toEqual([
      'DenseNet-BC',
      'ResNet (pre-activation)',
      'paper',
    ]);
    expect(figure.points.filter(({ source }) => source === 'measured')).toMatchObject([
      { series: 'DenseNet-BC', depth: 100, growth_rate: 12, error: 4.6, n: 1 },
      { series: 'ResNet (pre-activation)', depth: 56, growth_rate: undefined, error: 6, n: 2 },
    ]);
    expect(figure.points.filter(({ source }) => source === 'paper')).toMatchObject([
      { series: 'ResNet (pre-activation)', depth: 164, parameters: 1_703_258, error: 5.46 },
      { series: 'ResNet (pre-activation)', depth: 1001, parameters: 10_327_706, error: 4.62 },
      { series: 'DenseNet-BC', depth: 100, parameters: 769_162, error: 4.51 },
    ]);
    expect(figureSvg(figure, 'paper')).toContain('ResNet (pre-activation, L=164)');
  });

  it('tells growth rates and kinds of units apart', async () => {
    const basic = 'network={family: resnet, depth: 110, activation: pre}';
    const figure = figure4Middle(
      measurements([
        await finished('cifar10plus-bc-100-12', 4.6),
        await finished('cifar10plus-bc-250-24', 3.7),
        await finished('cifar10plus-bc-100-12', 6.2, [basic]),
      ]),
    );
    expect(figure.legend.map(({ label }) => label)).toEqual([
      'DenseNet-BC (k=12)',
      'DenseNet-BC (k=24)',
      'ResNet (pre-activation) (basic)',
      'paper',
    ]);
  });

  it('refuses other recipes and an empty figure', async () => {
    const mixed = measurements([
      await finished('cifar10plus-bc-100-12', 4.6),
      await finished('cifar10plus-preresnet-164', 5.5),
    ]);
    expect(() => figure4Middle(mixed)).toThrow('training.epochs');
    expect(() => figure4Middle(mixed)).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('densenet figure 4-middle EXPERIMENT') }),
    );
    expect(() => figure4Middle([])).toThrow('no finished runs');
  });
});

describe('curves', () => {
  it('have the top-5 error where a run counted it', async () => {
    const plain = await curve('a/1', [2, 1]);
    const counted = {
      ...plain,
      epochs: plain.epochs.map((row) => ({ ...row, testTop5Error: row.testError / 2 })),
    };
    const [without, withTop5] = [curvesFigure([plain]), curvesFigure([plain, counted])];
    expect(withTop5.points.map((point) => point.test_top5_error)).toEqual([undefined, undefined, 11, 5.5]);
    expect(withTop5.caption).toContain('top-5');
    expect(without.caption).not.toContain('top-5');
    const lines = (svg: string) => svg.match(/<path/g)!.length;
    expect(lines(figureSvg(withTop5, 'paper'))).toBeGreaterThan(
      lines(figureSvg(curvesFigure([plain, plain]), 'paper')),
    );
  });

  it('have every epoch of every run, also of a run with one epoch and of a loss of 0', async () => {
    const a = await curve('a/1', [2, 1, 0.5]);
    const b = await curve('b/1', [0]);
    expect(curvesFigure([a, b]).points.map(({ run, epoch }) => [run, epoch])).toEqual([
      ['a/1', 1],
      ['a/1', 2],
      ['a/1', 3],
      ['b/1', 1],
    ]);
    for (const figure of [curvesFigure([b]), figure4Right(a, b), figure4Right(b, b)])
      expect(figureSvg(figure, 'paper')).not.toMatch(/NaN|Infinity/);
  });
});

describe('the axes and names of curves', () => {
  const texts = (figure: Figure) =>
    [...figureSvg(figure, 'paper').matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

  it('are whole epochs, a few of them numbered, and the experiment with its seed', async () => {
    const few = texts(curvesFigure([await curve('a/20260101-000000-seed-1', [0.1, 0.1, 0.1])]));
    expect(few).toEqual(expect.arrayContaining(['1', '2', '3', 'quickstart seed 1']));
    expect(few).not.toContain('1.5');
    const many = texts(
      curvesFigure([
        await curve(
          'a/1',
          Array.from({ length: 300 }, () => 0.1),
        ),
      ]),
    );
    expect(many).toEqual(expect.arrayContaining(['50', '100', '300']));
    expect(many).not.toContain('20');
  });

  it('have 1, 2 and 5 of each power of ten on the axis of the loss', async () => {
    const [a, b] = [await curve('a/1', [2, 0.03]), await curve('b/1', [1, 0.5])];
    expect(texts(figure4Right(a, b))).toEqual(
      expect.arrayContaining(['0.01', '0.02', '0.05', '0.1', '1', '10']),
    );
  });
});

describe('a published curve', () => {
  it('is drawn over the errors, as far as it goes, and is among the points', async () => {
    const path = join(folder, 'huang.csv');
    await writeFile(path, 'Epoch, Test_Error\n40,5.5\n1,60\n');
    const published = await readPublishedCurve(path);
    expect(published).toEqual({
      name: 'huang',
      points: [
        { epoch: 1, testError: 60 },
        { epoch: 40, testError: 5.5 },
      ],
    });
    const figure = curvesFigure([await curve('a/1', [2, 1])], [published]);
    expect(figure.points.slice(2)).toEqual([
      { run: 'huang', epoch: 1, test_error: 60 },
      { run: 'huang', epoch: 40, test_error: 5.5 },
    ]);
    const svg = figureSvg(figure, 'paper');
    expect(svg).toContain('huang (published)');
    expect(svg).toContain('>40</text>');
  });

  it.each([
    ['error\n1\n', 'no column epoch'],
    ['epoch,loss\n1,2\n', 'no column test_error'],
    ['epoch,test_error\n1,2\n2,\n', "line 3: '2' and ''"],
    ['epoch,test_error\n1,200\n', "line 2: '1' and '200'"],
    ['', 'no column epoch'],
  ])('%j is refused', async (text, message) => {
    const path = join(folder, 'bad.csv');
    await writeFile(path, text);
    await expect(readPublishedCurve(path)).rejects.toThrow(message);
  });
});

describe('what an evaluation found', () => {
  const evaluation: RunEvaluation = {
    epoch: 1,
    count: 5,
    error: 40,
    classNames: ['cat', 'dog', 'a very long name of a class'],
    confusion: [
      [0, 0, 2],
      [0, 1, 1],
      [2, 1, 1],
      [2, 2, 1],
    ],
    calibration: { error: 0.1, bins: [{ count: 5, confidence: 0.5, accuracy: 0.6 }] },
    mistakes: [],
    engine: '',
    densenet: '',
  };

  it('is a cell for each two classes that were ever taken for each other, darker for more of the class', () => {
    const figure = confusionFigure(evaluation);
    expect(figure.points[1]).toEqual({ label: 'cat', predicted: 'dog', images: 1 });
    const svg = figureSvg(figure, 'paper');
    expect(svg).toContain('a very long name…');
    const fills = [...svg.matchAll(/shape-rendering="crispEdges"[^>]*>(.*?)<\/g>/g)][0]![1]!;
    expect([...fills.matchAll(/fill="([^"]+)"/g)].map(([, fill]) => fill)).toHaveLength(4);
    expect(svg).not.toMatch(/NaN/);
  });

  it('is a bar for each interval of confidence, from its lower to its upper edge', () => {
    const svg = figureSvg(reliabilityFigure(evaluation), 'paper');
    // 0.5 lies in the eighth of 15 intervals, 7/15 … 8/15 of 262 pixels.
    const bar = /<rect[^>]*fill="#2f7fc1"[^>]*>|<g[^>]*fill="#2f7fc1"[^>]*><rect[^>]*>/.exec(svg)![0];
    expect(Number(/ x="([\d.]+)"/.exec(bar)![1])).toBeCloseTo(48 + (7 / 15) * 262 + 0.5, 0);
    expect(svg).not.toMatch(/NaN/);
  });
});

describe('files', () => {
  it('are one, where a path names one, as large as is asked for', async () => {
    const figure = figure3([], recipes);
    const [small, large] = [join(folder, 'a.png'), join(folder, 'b.png')];
    expect(await writeFigure(figure, small, 1)).toEqual([small]);
    expect(await writeFigure(figure, large, 3)).toEqual([large]);
    const width = async (path: string) => (await readFile(path)).readUInt32BE(16);
    expect(await width(large)).toBe(3 * (await width(small)));
  });

  it('are an SVG, a PNG and the points as CSV', async () => {
    const paths = await writeFigure(figure3([], recipes), folder);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      'figure-3.svg',
      'figure-3.png',
      'figure-3.csv',
    ]);
    const [svg, png, csv] = await Promise.all(paths.map((path) => readFile(path)));
    expect(svg!.toString()).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(png!.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    expect(png!.readUInt32BE(16)).toBeGreaterThan(1600);
    expect(parse(csv!, { columns: true })).toHaveLength(8);
  });

  it('have their text in the PNG, whatever fonts the machine has', () => {
    const svg = (text: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20" font-family="Arimo, Arial"><text y="15">${text}</text></svg>`;
    const blank = Buffer.from(figurePng(svg('')));
    expect(Buffer.from(figurePng(svg('ℓ × θ ± −'))).equals(blank)).toBe(false);
    expect(Buffer.from(figurePng(svg('DenseNet'))).length).toBeGreaterThan(blank.length + 300);
  });

  it('take the colours of the page when they are inside one, and escape names', async () => {
    // Of one experiment and seed, so the runs' own names stand in the legend.
    const runs = [await curve('<b>/"1"', [2, 1]), await curve('<b>/"2"', [2, 1])];
    const inline = figureSvg(curvesFigure(runs), 'inline');
    expect(inline).not.toContain('<b>');
    expect(inline).toContain('&lt;b&gt;');
    expect(inline).not.toContain('<style');
    expect(inline).not.toContain('fill="white"');
  });
});
