import { expect, test } from 'vitest';
import { crc32c, tfRecord } from '../../../src/export/tensorboard/record.js';

test('the checksum is CRC-32C', () => {
  // Of RFC 3720, B.4, and the usual check value.
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('a record is its length, content and the masked checksums of both', () => {
  const record = Buffer.from(tfRecord(Buffer.from('abc')));
  expect(record.readBigUInt64LE()).toBe(3n);
  expect(record.subarray(12, 15).toString()).toBe('abc');
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  expect(unmask(record.readUInt32LE(8))).toBe(crc32c(record.subarray(0, 8)));
  expect(unmask(record.readUInt32LE(15))).toBe(crc32c(Buffer.from('abc')));
});
