import type { Measurement } from './measurements.js';
import { type PaperRecipes, placeInTable2 } from './paper-recipe.js';
import { type Sheet, signed } from './sheet.js';
import {
  againstOneRun,
  betweenMeans,
  type Comparison,
  intervalText,
  meanInterval,
  pValue,
  seedsToSee,
} from './significance.js';

/** The difference in test error, in percentage points, that the table of seeds counts seeds for. */
const POINTS = 0.1;

/**
 * Experiments over their seeds, and how far each is from the first and, where data and recipe are the paper's, from its
 * number. Errors are in percent.
 */
export function seedsSheet(measured: readonly Measurement[], recipes: PaperRecipes): Sheet {
  const [first, ...others] = measured;
  return {
    title: 'Over seeds: test error (%)',
    columns: ['experiment', 'n', 'mean', 'sd', '95 % interval', 'from paper', `seeds to see ${POINTS}`],
    right: ['n', 'mean', 'sd', `seeds to see ${POINTS}`],
    rows: measured.map((one) => {
      const half = meanInterval(one);
      return [
        one.experiment.name,
        `${one.n}`,
        one.mean.toFixed(2),
        one.sd?.toFixed(2) ?? '',
        half === undefined ? '' : `${(one.mean - half).toFixed(2)} … ${(one.mean + half).toFixed(2)}`,
        fromPaper(one, recipes),
        one.sd ? `${seedsToSee(POINTS, one.sd)}` : '',
      ];
    }),
    notes: [
      ...others.flatMap((one) => {
        const compared = betweenMeans(one, first!);
        return compared
          ? [`${one.experiment.name} − ${first!.experiment.name}: ${comparisonText(compared)}`]
          : [];
      }),
      "Intervals are of the mean, by Student's t; differences of two experiments by Welch's test. Errors of seeds are",
      "taken as independent and normal. The paper's number is of one run, whose spread is taken as that of ours.",
      `Seeds to see ${POINTS}: for each of two experiments with this spread, to find ${POINTS} points in 4 of 5 attempts.`,
    ],
  };
}

function fromPaper(one: Measurement, recipes: PaperRecipes): string {
  const { paper } = one.experiment;
  const comparable = placeInTable2(recipes, one.dataset, one.experiment)?.differences.length === 0;
  if (!paper || !comparable) return '';
  const compared = againstOneRun(one, paper.error);
  return compared ? comparisonText(compared) : signed(one.mean - paper.error);
}

/** `+0.17 [−0.05, +0.39], p = 0.09` */
function comparisonText(compared: Comparison): string {
  return `${intervalText(compared)}, ${pValue(compared.p)}`;
}
