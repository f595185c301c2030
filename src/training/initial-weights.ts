import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Network } from '../networks/network.js';
import { initialValues, parameters } from '../networks/parameters.js';
import { checkPatterns, matcher } from '../networks/patterns.js';
import type { InitialWeights } from '../runs/environment.js';
import type { NamedTensors } from '../util/tensor.js';
import { decodeWeights, readWeightsFile } from './checkpoint.js';

/** `--init` and `--init-skip`. */
export interface InitOptions {
  readonly file: string;
  /** Patterns of the parameters that get the usual initial values instead; see `matcher`. */
  readonly skip: readonly string[];
}

/**
 * The weights that a run begins with: those of a file, but for the skipped parameters, and what to remember of it.
 * Throws a UserError (data, usage) if the file does not fit the network or a pattern means nothing.
 */
export async function loadInitialWeights(
  { file, skip }: InitOptions,
  network: Network,
  seed: number,
): Promise<{ weights: NamedTensors; record: InitialWeights }> {
  checkPatterns(network, skip);
  const skipped = matcher(skip);
  const bytes = await readWeightsFile(file, network);
  const given = decodeWeights(bytes, file, network, skipped);
  const usual = initialValues(network, seed);
  const names = parameters(network).map(({ name }) => name);
  return {
    weights: new Map(names.map((name) => [name, given.get(name) ?? usual.get(name)!])),
    record: {
      file: resolve(file),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      skipped: names.filter(skipped),
    },
  };
}
