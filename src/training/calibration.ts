/** The images whose confidence, the softmax of the predicted class, lies in one interval. Shares are 0 to 1. */
export interface CalibrationBin {
  readonly count: number;
  /** Mean confidence. */
  readonly confidence: number;
  /** Share of them that are right. */
  readonly accuracy: number;
}

export interface Calibration {
  /** Intervals of equal width from 0 to 1, those without an image left out. */
  readonly bins: readonly CalibrationBin[];
  /** Expected calibration error (Guo et al., 2017, equation 3): mean of |accuracy − confidence| over the images. */
  readonly error: number;
}

/** As many as Guo et al., 2017, take. */
const BINS = 15;

/** Collects the confidence of predictions, and whether they were right. */
export class CalibrationCounter {
  readonly #bins = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));

  add(confidence: number, right: boolean): void {
    // Each bin holds its upper edge, as in the paper.
    const bin = this.#bins[Math.min(BINS, Math.max(1, Math.ceil(confidence * BINS))) - 1];
    if (!bin) return;
    bin.count++;
    bin.confidence += confidence;
    if (right) bin.right++;
  }

  result(): Calibration {
    const bins = this.#bins
      .filter(({ count }) => count > 0)
      .map(({ count, confidence, right }) => ({
        count,
        confidence: confidence / count,
        accuracy: right / count,
      }));
    const images = bins.reduce((sum, { count }) => sum + count, 0);
    const gaps = bins.map(({ count, confidence, accuracy }) => count * Math.abs(accuracy - confidence));
    return { bins, error: gaps.reduce((a, b) => a + b, 0) / images };
  }
}
