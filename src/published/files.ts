import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { curvesFigure } from '../figures/curves.js';
import type { ReuseBlock } from '../figures/feature-reuse.js';
import type { Figure } from '../figures/figure.js';
import { figure4Left } from '../figures/figure4-left.js';
import { figure4Middle } from '../figures/figure4-middle.js';
import { figure5 } from '../figures/figure5.js';
import { readPublishedCurve } from '../figures/published-curve.js';
import { figureFiles } from '../figures/write.js';
import { findRunFolder } from '../runs/folders.js';
import { tableFiles } from '../tables/write.js';
import { packageRoot } from '../util/package.js';
import { fidelityMarkdown, readFidelity } from './fidelity.js';
import { fidelityFigure } from './fidelity-figure.js';
import { measuredTable, publishedFolder, publishedMeasurements } from './measured.js';
import { readSpeeds, speedTable } from './speed.js';

/** The run of Figure 5: seed 1 of the DenseNet of 22 layers in Figure 4 (left), after 8 epochs. */
const FIGURE_5 =
  'DenseNet (L=22, k=12), miniature-bottleneck-false-compression-1-depth-22/20261125-014256-seed-1';

/** The longest training on CIFAR-10 (JPEG), 30 epochs. */
const LONG_RUN = 'cifar10-jpeg-bc-40-12';

/** Another's test errors of the first 30 of 300 epochs, see docs/reproduction.md. */
const OTHERS_CURVE = join(publishedFolder, 'others', 'densenet-40-12-tdeboissiere.csv');

/** The cases of `bench peers` in the README. */
const README_SPEEDS = ['bc-100-12', 'bc-40-12', 'densenet-121', 'bc-100-12-predict'];

/** What was trained by PyTorch too, see docs/reproduction.md. */
const FIDELITY = ['fidelity-bc-40-12', 'fidelity-22-12'];

/**
 * Every published file that follows from what was measured, by path: tables, figures, and the documents with their
 * tables. Errors are in measured.csv, runs/, pytorch/ and others/ in results/published, speeds in benchmarks/results.
 * Figure 5 follows from its own points, as its weights were not kept.
 */
export async function publishedFiles(): Promise<Map<string, string | Uint8Array>> {
  const measured = await publishedMeasurements();
  const miniatures = measured.filter(({ subset }) => subset === 5000);
  const fidelities = await Promise.all(FIDELITY.map((name) => readFidelity(publishedFolder, name)));
  const figures = [
    figure4Left(miniatures),
    figure4Middle(miniatures),
    publishedFigure5(),
    fidelityFigure(fidelities),
    await longRunFigure(),
  ];
  return new Map<string, string | Uint8Array>([
    ...tableFiles(measured).map(([name, text]) => [join(publishedFolder, name), text] as const),
    ...figures
      .flatMap((figure) => figureFiles(figure))
      .map(([name, data]) => [join(publishedFolder, 'figures', name), data] as const),
    withBlocks('README.md', {
      measured: measuredTable(measured),
      speeds: speedTable(readSpeeds('peers'), README_SPEEDS),
    }),
    withBlocks('benchmarks/README.md', { speeds: speedTable(readSpeeds('peers')) }),
    withBlocks('docs/gpu.md', { speeds: speedTable(readSpeeds('peers-gpu')) }),
    withBlocks('docs/reproduction.md', { fidelity: fidelities.map(fidelityMarkdown).join('\n\n') }),
  ]);
}

/** A document with new text between `<!-- NAME … -->` and `<!-- end of NAME -->`, for each name. */
function withBlocks(document: string, blocks: Readonly<Record<string, string>>): [string, string] {
  const path = join(packageRoot, document);
  let text = readFileSync(path, 'utf8');
  for (const [name, block] of Object.entries(blocks)) {
    const marked = new RegExp(`(<!-- ${name}[^>]*-->\\n).*?(<!-- end of ${name} -->)`, 's');
    if (!marked.test(text)) throw new Error(`${document} has no block ${name}`);
    text = text.replace(marked, (_, start, end) => `${start}${block}\n${end}`);
  }
  return [path, text];
}

async function longRunFigure(): Promise<Figure> {
  const run = await findRunFolder(publishedFolder, LONG_RUN);
  const curve = { name: run.name, experiment: run.readExperiment(), epochs: run.readEpochs() };
  const { points } = await readPublishedCurve(OTHERS_CURVE);
  const others = { name: 'DenseNet (L=40, k=12) on C10, epochs 1 to 30 of 300 at the rate 0.1', points };
  const figure = curvesFigure([curve], [others]);
  return {
    ...figure,
    name: 'cifar10-jpeg',
    caption: `${figure.caption} Ours is DenseNet-BC (L=40, k=12) on C10+ (JPEG), whose rate falls after 15 and 23 epochs: networks, data and rates differ.`,
  };
}

function publishedFigure5(): Figure {
  const text = readFileSync(join(publishedFolder, 'figures', 'figure-5.csv'), 'utf8');
  const points = parse(text, { columns: true }) as Record<string, string>[];
  const blocks = [...new Set(points.map(({ block }) => block))].map((block) =>
    reuseBlock(points.filter((point) => point.block === block)),
  );
  return figure5('figure-5', FIGURE_5, blocks);
}

function reuseBlock(points: readonly Record<string, string>[]): ReuseBlock {
  const channels = new Map(points.map(({ source, source_channels }) => [source!, Number(source_channels)]));
  const targets = [...new Set(points.map(({ target }) => target!))];
  const mean = [...channels.keys()].map((source) =>
    targets.map((target) => {
      const point = points.find((candidate) => candidate.source === source && candidate.target === target);
      return point && Number(point.mean_absolute_weight);
    }),
  );
  return {
    block: Number(points[0]!.block),
    sources: [...channels].map(([name, channels]) => ({ name, channels })),
    targets,
    mean,
  };
}
