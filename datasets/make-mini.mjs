/**
 * Makes datasets/fashion-mnist-mini: the first 5,000 training and 1,000 test images of Fashion-MNIST.
 *
 *   node datasets/make-mini.mjs FOLDER
 *
 * FOLDER holds the four gzipped IDX files; Debian's package dataset-fashion-mnist puts them into
 * /usr/share/datasets/fashion-mnist. Prints what src/datasets/fashion-mnist.ts has to say of each file.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

const target = fileURLToPath(new URL('fashion-mnist-mini/', import.meta.url));
const source = process.argv[2];
if (source === undefined) {
  console.error('usage: node datasets/make-mini.mjs FOLDER');
  process.exit(2);
}

/** The first `count` items of an IDX file: its header with another count, then the data of those items. */
function shorten(idx, count) {
  const dimensions = Array.from({ length: idx[3] }, (_, i) => idx.readUInt32BE(4 + 4 * i));
  const itemBytes = dimensions.slice(1).reduce((product, length) => product * length, 1);
  const headerBytes = 4 + 4 * dimensions.length;
  const short = Buffer.from(idx.subarray(0, headerBytes + count * itemBytes));
  short.writeUInt32BE(count, 4);
  return short;
}

for (const [name, count] of [
  ['train-images-idx3-ubyte.gz', 5000],
  ['train-labels-idx1-ubyte.gz', 5000],
  ['t10k-images-idx3-ubyte.gz', 1000],
  ['t10k-labels-idx1-ubyte.gz', 1000],
]) {
  const bytes = gzipSync(shorten(gunzipSync(readFileSync(join(source, name))), count), { level: 9 });
  writeFileSync(join(target, name), bytes);
  console.log(name, bytes.length, createHash('sha256').update(bytes).digest('hex'));
}
