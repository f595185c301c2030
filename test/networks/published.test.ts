import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { weightsFile } from '../../src/networks/weights.js';
import { PUBLISHED_NETWORKS, publishedNetwork } from '../fixtures/pytorch/published.js';

/** As make_published.py digests a state dict: name, type, shape and bytes of every entry, in order. */
function digest(file: Uint8Array): string {
  const headerBytes = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const data = file.subarray(8 + headerBytes);
  const { __metadata__, ...entries } = JSON.parse(Buffer.from(file.subarray(8, 8 + headerBytes)).toString());
  const sha = createHash('sha256');
  for (const [name, { dtype, shape, data_offsets }] of Object.entries<{
    dtype: string;
    shape: number[];
    data_offsets: [number, number];
  }>(entries)) {
    sha.update(`${name} ${dtype} ${shape.join()}\n`).update(data.subarray(...data_offsets));
  }
  return sha.digest('hex');
}

test.each(PUBLISHED_NETWORKS)("%s is written as PyTorch's state dict, to the bit", (name) => {
  const { network, weights, digest: expected } = publishedNetwork(name);
  expect(digest(weightsFile(network, weights))).toBe(expected);
});
