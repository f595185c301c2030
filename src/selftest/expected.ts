import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../util/package.js';
import { decodeSafetensors, encodeSafetensors } from '../util/safetensors.js';
import type { NamedTensors, Tensor } from '../util/tensor.js';

/** Results of a case in double precision, stored in single. */
export interface Expected {
  /** Of the first batch before training, [N, classes]. */
  readonly logits: Float32Array;
  /** Of the first step, under the parameters' names. */
  readonly gradients: NamedTensors;
  /** Of each step. */
  readonly losses: Float32Array;
  /** Of the first batch after the last step. */
  readonly trained: Float32Array;
}

const GRADIENT = 'gradient.';

export const EXPECTED_FOLDER = join('src', 'selftest', 'expected');

/** Reads the results of a case. Throws a UserError (data) if the file is missing or damaged. */
export async function readExpected(name: string): Promise<Expected> {
  const path = join(packageRoot, EXPECTED_FOLDER, `${name}.safetensors`);
  const { tensors } = decodeSafetensors(await readFile(path), path);
  const get = (of: string) => tensors.get(of)?.data ?? new Float32Array();
  const gradients = [...tensors].flatMap(([key, tensor]): [string, Tensor][] =>
    key.startsWith(GRADIENT) ? [[key.slice(GRADIENT.length), tensor]] : [],
  );
  return {
    logits: get('logits'),
    gradients: new Map(gradients),
    losses: get('losses'),
    trained: get('trained'),
  };
}

/** The file of a case's results. */
export function expectedFile({ logits, gradients, losses, trained }: Expected): Uint8Array {
  const list = (data: Float32Array): Tensor => ({ shape: [data.length], data });
  return encodeSafetensors(
    new Map<string, Tensor>([
      ['logits', list(logits)],
      ['losses', list(losses)],
      ['trained', list(trained)],
      ...[...gradients].map(([name, tensor]): [string, Tensor] => [`${GRADIENT}${name}`, tensor]),
    ]),
  );
}
