import type { ImageFiles, ImageSet } from '../datasets/dataset.js';
import type { Prediction } from './evaluate.js';
import { crossEntropy } from './softmax.js';

/** An image that was taken for another class. */
export interface Mistake {
  /** What people call the image. */
  readonly name: string;
  readonly label: number;
  readonly predicted: number;
  /** Softmax of the predicted class, 0 to 1. */
  readonly confidence: number;
  /** A data URL. */
  readonly picture: string;
}

/** Collects the most confident mistakes of a network. */
export class SurestMistakes {
  private surest: { readonly prediction: Prediction; readonly confidence: number }[] = [];

  constructor(private readonly most: number) {}

  add(prediction: Prediction): void {
    const { label, predicted, logits } = prediction;
    if (label === predicted) return;
    const confidence = Math.exp(-crossEntropy(logits, predicted));
    this.surest.push({ prediction, confidence });
    this.surest.sort((a, b) => b.confidence - a.confidence || a.prediction.index - b.prediction.index);
    this.surest.length = Math.min(this.surest.length, this.most);
  }

  /** The most confident first, with pictures from the split that they are of. */
  async pictures(split: ImageSet | ImageFiles): Promise<Mistake[]> {
    if (this.surest.length === 0) return [];
    const { picture } = await import('../input/images/picture.js');
    return Promise.all(
      this.surest.map(async ({ prediction: { index, label, predicted }, confidence }) => ({
        name: (await split.name?.(index)) ?? `image ${index}`,
        label,
        predicted,
        confidence,
        picture: await picture(split, index),
      })),
    );
  }
}
