import { csv } from '../util/csv.js';

/** How well a class is recognised. Shares are 0 to 1. */
export interface ClassScores {
  /** Images of the class. */
  readonly count: number;
  /** Those of them that were taken for another class. */
  readonly wrong: number;
  /** Of the images that were taken for this class, the share that are of it; undefined if none was. */
  readonly precision: number | undefined;
  /** Of the images of this class, the share that were taken for it; undefined if there is none. */
  readonly recall: number | undefined;
  /** The harmonic mean of both, 2·TP/(2·TP + FP + FN); undefined without any image of or for the class. */
  readonly f1: number | undefined;
}

/** A confusion matrix: counts of images, [label, predicted]. */
export class ConfusionMatrix {
  readonly classes: number;
  readonly #counts: Uint32Array;

  constructor(classes: number) {
    this.classes = classes;
    this.#counts = new Uint32Array(classes * classes);
  }

  add(label: number, predicted: number): void {
    this.#counts[label * this.classes + predicted]!++;
  }

  at(label: number, predicted: number): number {
    return this.#counts[label * this.classes + predicted]!;
  }

  /** [label, predicted, images], without those that never were. */
  entries(): [number, number, number][] {
    return [...this.#counts].flatMap((images, at): [number, number, number][] =>
      images === 0 ? [] : [[Math.floor(at / this.classes), at % this.classes, images]],
    );
  }

  scores(): ClassScores[] {
    const range = Array.from({ length: this.classes }, (_, c) => c);
    return range.map((own) => {
      const right = this.at(own, own);
      const count = range.reduce((sum, predicted) => sum + this.at(own, predicted), 0);
      const taken = range.reduce((sum, label) => sum + this.at(label, own), 0);
      return {
        count,
        wrong: count - right,
        precision: share(right, taken),
        recall: share(right, count),
        f1: share(2 * right, count + taken),
      };
    });
  }
}

function share(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

/** A row for each class, a column for each class that its images were taken for. */
export function confusionCsv(confusion: ConfusionMatrix, classNames: readonly string[]): string {
  // Rows by position, not by name: a class may be called `label`.
  const rows = classNames.map((name, label) => [
    name,
    ...classNames.map((_, predicted) => confusion.at(label, predicted)),
  ]);
  return csv(['label', ...classNames], rows);
}
