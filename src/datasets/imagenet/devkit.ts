import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readSmallFile } from '../../util/read-files.js';
import { ByteSource } from '../formats/byte-source.js';
import { FormatError } from '../formats/format-error.js';
import { type MatStruct, readMat5Values } from '../formats/mat5-values.js';
import { tarEntries } from '../formats/tar.js';
import { imagenetLabel } from './classes.js';

const META = 'meta.mat';
const TRUTH = 'ILSVRC2012_validation_ground_truth.txt';

/** What the development kit says: the label of each validation image, in the order of the images' numbers. */
export type ValidationLabels = Uint16Array;

/**
 * Reads the development kit: its archive, or the folder `data` that it unpacks to. Its own ids (ILSVRC2012_ID,
 * 1 … 1000) are not the labels; meta.mat gives their WordNet ids, whose ranks are. Throws `FormatError`.
 * @param workspace a folder for a temporary file
 */
export async function readDevkit(path: string, workspace: string): Promise<ValidationLabels> {
  if (!path.endsWith('.tar.gz')) {
    const truth = await readSmallFile(join(path, TRUTH), MOST_FILE);
    return validationLabels(join(path, META), join(path, TRUTH), truth.toString('latin1'));
  }
  const { meta, truth } = await unpack(path);
  const temporary = join(workspace, META);
  try {
    await writeFile(temporary, meta);
    return await validationLabels(temporary, path, truth.toString('latin1'));
  } catch (error) {
    if (error instanceof FormatError)
      throw new FormatError(path, `${META} in it ${error.problem}`, { cause: error });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Bytes of a file, and of all files of the kit: bounds of what a false one may take of memory and time. */
const MOST_FILE = 1 << 22;
const MOST_KIT = 1 << 26;

async function unpack(path: string): Promise<{ meta: Buffer; truth: Buffer }> {
  const source = new ByteSource(path, 'gzip', { most: MOST_KIT });
  const found = new Map<string, Buffer>();
  try {
    for await (const { name, isFile, bytes } of tarEntries(source, MOST_KIT)) {
      const file = basename(name);
      if (!isFile || ![META, TRUTH].includes(file)) continue;
      if (bytes > MOST_FILE)
        throw new FormatError(path, `holds ${file} of ${bytes} bytes, which is unlikely`);
      found.set(file, await source.read(bytes));
    }
    await source.drain();
  } finally {
    await source.close();
  }
  const [meta, truth] = [found.get(META), found.get(TRUTH)];
  if (!meta || !truth) throw new FormatError(path, `does not contain ${meta ? TRUTH : META}`);
  return { meta, truth };
}

async function validationLabels(meta: string, where: string, truth: string): Promise<ValidationLabels> {
  const labels = await labelsById(meta);
  const lines = truth.trim().split(/\s+/);
  return Uint16Array.from(lines, (line, i) => {
    const label = labels.get(Number(line));
    if (label === undefined) {
      throw new FormatError(
        where,
        `line ${i + 1} of the ground truth is '${line.slice(0, 20)}', not an ILSVRC2012_ID of ${META}`,
      );
    }
    return label;
  });
}

/** ILSVRC2012_ID → label, from the struct array `synsets`. Inner synsets (with children) are no classes. */
async function labelsById(path: string): Promise<Map<number, number>> {
  const synsets = (await readMat5Values(path)).get('synsets');
  if (synsets?.kind !== 'struct') throw new FormatError(path, "has no struct array 'synsets'");
  const labels = new Map<number, number>();
  for (const synset of synsets.elements) {
    if (numberOf(synset, 'num_children', path) > 0) continue;
    const wnid = synset.get('WNID');
    const text = wnid?.kind === 'text' ? wnid.text : '';
    const label = imagenetLabel(text);
    if (label === undefined)
      throw new FormatError(path, `has a class '${text.slice(0, 20)}', which ILSVRC2012 does not have`);
    labels.set(numberOf(synset, 'ILSVRC2012_ID', path), label);
  }
  return labels;
}

function numberOf(synset: MatStruct, field: string, path: string): number {
  const value = synset.get(field);
  if (value?.kind === 'numbers' && value.values.length === 1) return value.values[0]!;
  throw new FormatError(path, `has a synset without a number ${field}`);
}
