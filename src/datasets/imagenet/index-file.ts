import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../util/errors.js';
import { writeFileAtomic } from '../../util/files.js';
import { parseJson } from '../../util/json.js';
import { readSmallFile } from '../../util/read-files.js';
import { imagenetClasses } from './classes.js';
import { type ImagePlace, MOST_IMAGE_BYTES, type SplitColumns, SplitIndex } from './split-index.js';

/** The index of ImageNet: where every image is and what it shows. It refers to the archives; it holds no image. */
export interface ImageNetIndex {
  readonly train: SplitIndex;
  readonly test: SplitIndex;
  /** MD5 of the development kit's archive that gave the labels of the validation images; none for its folder. */
  readonly devkitMd5?: string;
}

/**
 * The file: a magic word, the SHA-256 of all that follows, the length of the header, a JSON header, then the columns
 * of both splits. Numbers are little-endian; every part begins at a multiple of 8. An image in an archive takes 10
 * bytes.
 */
const MAGIC = 'densenet index 1';
const DIGEST_BYTES = 32;
const ALIGNMENT = 8;

/** All images in folders, where names take most of it, need 40 MB. */
const MOST_BYTES = 2 ** 27;

const PlaceSchema: z.ZodType<ImagePlace> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('archive'),
    path: z.string(),
    bytes: z.int(),
    modified: z.number(),
    md5: z.hash('md5'),
  }),
  z.object({ kind: z.literal('folder'), path: z.string(), classFolders: z.boolean() }),
]);

const SplitSchema = z.object({
  place: PlaceSchema,
  digest: z.hash('sha256'),
  count: z.int().nonnegative(),
  nameBytes: z.int().nonnegative().optional(),
});

const Header = z.object({
  train: SplitSchema,
  test: SplitSchema,
  devkitMd5: z.string().optional(),
});

/** Names the data: SHA-256 over labels, sizes and names of all images. Where they lie makes no difference. */
export function indexDigest({ train, test }: Pick<ImageNetIndex, 'train' | 'test'>): string {
  return sha256(Buffer.from(`train ${train.digest}\ntest ${test.digest}\n`)).toString('hex');
}

export function indexPath(folder: string): string {
  return join(folder, 'index');
}

/** Writes the index into the dataset's folder, whole or not at all. */
export async function writeIndex(folder: string, index: ImageNetIndex): Promise<void> {
  const describe = ({ place, digest, count, columns }: SplitIndex): z.infer<typeof SplitSchema> => ({
    place,
    digest,
    count,
    nameBytes: columns.names?.length,
  });
  const { train, test, devkitMd5 } = index;
  const header = { train: describe(train), test: describe(test), devkitMd5 } satisfies z.infer<typeof Header>;
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(ALIGNMENT);
  length.writeUInt32LE(text.length);
  const columns = [train, test].flatMap((split) => parts(split.columns)).map(aligned);
  const content = Buffer.concat([length, aligned(text), ...columns]);
  await writeFileAtomic(indexPath(folder), Buffer.concat([Buffer.from(MAGIC), sha256(content), content]));
}

/** Reads the index; undefined where there is none, or none that is whole. Takes milliseconds for all of ImageNet. */
export async function readIndex(folder: string): Promise<ImageNetIndex | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readSmallFile(indexPath(folder), MOST_BYTES);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  const start = MAGIC.length + DIGEST_BYTES;
  const content = bytes.subarray(start);
  const whole =
    bytes.toString('latin1', 0, MAGIC.length) === MAGIC &&
    bytes.subarray(MAGIC.length, start).equals(sha256(content));
  return whole ? parse(content) : undefined;
}

function parse(content: Buffer): ImageNetIndex | undefined {
  if (content.length < ALIGNMENT) return undefined;
  const length = content.readUInt32LE(0);
  const header = Header.safeParse(parseJson(content.toString('utf8', ALIGNMENT, ALIGNMENT + length)));
  const body = content.subarray(ALIGNMENT + padded(length));
  if (!header.success) return undefined;
  const { train, test, devkitMd5 } = header.data;
  if (columnBytes(train) + columnBytes(test) !== body.length) return undefined;
  const reader = new ColumnReader(body);
  const index = { train: readSplit(train, reader), test: readSplit(test, reader), devkitMd5 };
  return isUsable(index.train) && isUsable(index.test) ? index : undefined;
}

/** Bytes of a split's columns, before there is memory for them. */
function columnBytes({ place, count, nameBytes = 0 }: z.infer<typeof SplitSchema>): number {
  const names = place.kind === 'archive' ? 0 : padded(nameBytes);
  return padded(2 * count) + 2 * padded(4 * count) + names;
}

function isUsable({ columns: { labels, sizes } }: SplitIndex): boolean {
  const classes = imagenetClasses().length;
  return labels.every((label) => label < classes) && sizes.every((bytes) => bytes <= MOST_IMAGE_BYTES);
}

function parts({ labels, sizes, blocks, names, nameEnds }: SplitColumns): Uint8Array[] {
  return [labels, sizes, blocks, nameEnds, names].flatMap((column) =>
    column ? [new Uint8Array(column.buffer, column.byteOffset, column.byteLength)] : [],
  );
}

function readSplit(head: z.infer<typeof SplitSchema>, reader: ColumnReader): SplitIndex {
  const { place, digest, count, nameBytes = 0 } = head;
  const common = { labels: new Uint16Array(reader.take(2 * count)), sizes: reader.words(count) };
  const columns: SplitColumns =
    place.kind === 'archive'
      ? { ...common, blocks: reader.words(count) }
      : { ...common, nameEnds: reader.words(count), names: Buffer.from(reader.take(nameBytes)) };
  return new SplitIndex(place, columns, digest);
}

/** Takes columns off the body, in order, each as memory of its own. */
class ColumnReader {
  private at = 0;

  constructor(private readonly body: Buffer) {}

  take(bytes: number): ArrayBuffer {
    const content = new Uint8Array(bytes);
    content.set(this.body.subarray(this.at, this.at + bytes));
    this.at += padded(bytes);
    return content.buffer;
  }

  words(count: number): Uint32Array {
    return new Uint32Array(this.take(4 * count));
  }
}

function padded(bytes: number): number {
  return ALIGNMENT * Math.ceil(bytes / ALIGNMENT);
}

function aligned(part: Uint8Array): Buffer {
  return Buffer.concat([part], padded(part.length));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
