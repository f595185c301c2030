import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readIdx } from '../../../src/datasets/formats/idx.js';
import { idx, noise } from '../support/tiny.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'idx-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(name: string, content: Uint8Array, shape: readonly number[] = [2, 3]) {
  const path = join(folder, name);
  await writeFile(path, content);
  return readIdx(path, shape);
}

describe('IDX', () => {
  it('reads any shape, gzipped or not', async () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), async (shape, gzipped) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const data = noise('idx', size);
        const content = idx(shape, data);
        const array = await read(gzipped ? 'a.gz' : 'a', gzipped ? gzipSync(content) : content, shape);
        expect(Buffer.from(array).equals(data)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  const content = idx([2, 3], noise('idx', 6));

  it('refuses every truncation', async () => {
    const gzipped = gzipSync(content);
    for (let length = 0; length < content.length; length++) {
      await expect(read('a', content.subarray(0, length))).rejects.toThrow('ends early');
    }
    for (let length = 0; length < gzipped.length; length++) {
      await expect(read('a.gz', gzipped.subarray(0, length))).rejects.toThrow(
        /ends early|does not decompress/,
      );
    }
  });

  it('refuses bytes past the end', async () => {
    await expect(read('a', Buffer.concat([content, Buffer.of(0)]))).rejects.toThrow('continues past its end');
  });

  it('refuses other files', async () => {
    await expect(read('a', Buffer.from('<html><body>'))).rejects.toThrow(
      'is not an IDX file of unsigned bytes',
    );
    const floats = Buffer.from(content);
    floats[2] = 0x0d;
    await expect(read('a', floats)).rejects.toThrow('is not an IDX file of unsigned bytes');
  });

  it('refuses another shape than expected, before there is memory for it', async () => {
    const huge = idx([0xffffffff, 0xffffffff], new Uint8Array(0));
    await expect(read('a', huge)).rejects.toThrow('has shape 4294967295×4294967295, expected 2×3');
    const deep = idx(Array(255).fill(2), new Uint8Array(0));
    await expect(read('a', deep)).rejects.toThrow('has 255 dimensions, expected 2×3');
  });

  it('refuses what is packed into little and unpacks to much', async () => {
    const bomb = gzipSync(Buffer.concat([content, Buffer.alloc(2 ** 26)]));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(read('a.gz', bomb)).rejects.toThrow('continues past its end');
  });
});
