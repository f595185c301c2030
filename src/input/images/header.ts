import type { Size } from './crops.js';

export interface ImageHeader extends Size {
  readonly format: 'jpeg' | 'png';
  /** Values of a pixel as they are stored; of a JPEG, 4 are CMYK. Undefined for PNG, whose palettes say more. */
  readonly components?: number;
}

/** What the header of a JPEG or PNG image says; undefined where it is neither, or is damaged. */
export function imageHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length > 24 && bytes.readUInt32BE(0) === PNG) {
    return { format: 'png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  return bytes.length > 4 && bytes.readUInt16BE(0) === START_OF_IMAGE ? jpegHeader(bytes) : undefined;
}

const PNG = 0x89504e47;
const START_OF_IMAGE = 0xffd8;

/**
 * Walks the segments up to the frame header (SOF0 … SOF15, but for DHT, JPG and DAC, which lie among them). As libjpeg
 * does, it passes over what lies between two segments. TEM and RST0 … RST7 are markers without a segment.
 */
function jpegHeader(bytes: Buffer): ImageHeader | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0xff || marker === 0) {
      at++;
      continue;
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) {
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
      return { format: 'jpeg', height, width, components: bytes[at + 9]! };
    }
    const bare = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += bare ? 2 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
