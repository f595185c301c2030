import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../../src/input/images/decode.js';
import { imageHeader } from '../../../src/input/images/header.js';
import { FUZZ_RUNS } from '../../fuzz.js';

const [WIDTH, HEIGHT] = [37, 21];

let jpegs: Record<'baseline' | 'progressive' | 'grey' | 'cmyk', Buffer>;
let png: Buffer;
beforeAll(async () => {
  const background = { r: 200, g: 90, b: 30 };
  const image = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background } });
  jpegs = {
    baseline: await image
      .clone()
      .withExif({ IFD0: { Artist: 'nobody' } })
      .jpeg()
      .toBuffer(),
    progressive: await image.clone().jpeg({ progressive: true }).toBuffer(),
    grey: await image.clone().toColourspace('b-w').jpeg().toBuffer(),
    cmyk: await image.clone().toColourspace('cmyk').jpeg().toBuffer(),
  };
  png = await image.clone().png().toBuffer();
});

/** Where the segments of a JPEG begin, up to its data. */
function segments(jpeg: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 2; jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2)) starts.push(at);
  return starts;
}

function inserted(jpeg: Buffer, at: number, junk: Uint8Array): Buffer {
  return Buffer.concat([jpeg.subarray(0, at), junk, jpeg.subarray(at)]);
}

describe('the header of an image', () => {
  test('says format, size and components', () => {
    const size = { width: WIDTH, height: HEIGHT };
    expect(imageHeader(jpegs.baseline)).toEqual({ format: 'jpeg', ...size, components: 3 });
    expect(imageHeader(jpegs.progressive)).toEqual({ format: 'jpeg', ...size, components: 3 });
    expect(imageHeader(jpegs.grey)).toEqual({ format: 'jpeg', ...size, components: 1 });
    expect(imageHeader(jpegs.cmyk)).toEqual({ format: 'jpeg', ...size, components: 4 });
    expect(imageHeader(png)).toEqual({ format: 'png', ...size });
    for (const other of ['', 'GIF89a', '<html><body>not here</body></html>']) {
      expect(imageHeader(Buffer.from(other))).toBeUndefined();
    }
  });

  test('is found after junk between segments, and such an image is decoded', async () => {
    const whole = (size: { width: number; height: number }) => ({ part: { left: 0, top: 0, ...size }, size });
    const plain = await decode(jpegs.baseline, whole, 'bicubic');
    for (const junk of [Buffer.of(0), Buffer.of(0xff, 0xff), Buffer.of(0xff, 0), Buffer.from('some words')]) {
      for (const at of segments(jpegs.baseline)) {
        expect(await decode(inserted(jpegs.baseline, at, junk), whole, 'bicubic')).toEqual(plain);
      }
    }
  });

  test('of any bytes is the size that sharp finds, where sharp finds one', async () => {
    const junk = fc.uint8Array({ maxLength: 6 });
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 });
    const kind = fc.constantFrom('baseline', 'progressive', 'grey', 'cmyk');
    let readable = 0;
    await fc.assert(
      fc.asyncProperty(kind, fc.nat(), junk, changes, async (name, place, bytes, changed) => {
        const starts = segments(jpegs[name]);
        const content = inserted(jpegs[name], starts[place % starts.length]!, bytes);
        for (const [at, value] of changed) content[at % content.length] = value;
        const found = await sharp(content)
          .metadata()
          .catch(() => undefined);
        const header = imageHeader(content);
        if (found?.format !== 'jpeg') return;
        readable++;
        expect(header).toMatchObject({ width: found.width, height: found.height });
      }),
      { numRuns: FUZZ_RUNS },
    );
    expect(readable).toBeGreaterThan(200);
  });
});
