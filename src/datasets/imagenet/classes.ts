import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

/** In the repository's `datasets/`, seen from `src/datasets/imagenet/` and from `dist/datasets/imagenet/`. */
const CLASSES = new URL('../../../datasets/imagenet/classes.csv', import.meta.url);

export interface ImageNetClass {
  /** WordNet id of the synset: `n01440764`. */
  readonly wnid: string;
  readonly name: string;
}

let classes: readonly ImageNetClass[] | undefined;
let labels: ReadonlyMap<string, number> | undefined;

/** The 1,000 classes of ILSVRC2012 by their labels: the label is the rank of the WordNet id. */
export function imagenetClasses(): readonly ImageNetClass[] {
  classes ??= parse(readFileSync(CLASSES), {
    columns: true,
  });
  return classes!;
}

/** The label of a WordNet id, 0 … 999; undefined for one that is not a class of ILSVRC2012. */
export function imagenetLabel(wnid: string): number | undefined {
  labels ??= new Map(imagenetClasses().map((one, label) => [one.wnid, label]));
  return labels.get(wnid);
}
