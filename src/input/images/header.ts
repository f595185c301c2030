import type { Size } from './crops.js';

/** The size of a JPEG or PNG image, from its header; undefined where it is neither, or is damaged. */
export function imageSize(bytes: Buffer): Size | undefined {
  if (bytes.length > 24 && bytes.readUInt32BE(0) === PNG) {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  return bytes.length > 4 && bytes.readUInt16BE(0) === START_OF_IMAGE ? jpegSize(bytes) : undefined;
}

const PNG = 0x89504e47;
const START_OF_IMAGE = 0xffd8;

/** Walks the segments up to the frame header (SOF0 … SOF15, but for DHT, JPG and DAC, which lie among them). */
function jpegSize(bytes: Buffer): Size | undefined {
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
