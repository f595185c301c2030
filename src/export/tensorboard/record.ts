/** CRC-32C (Castagnoli) of each byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/** Rotated and shifted: a checksum of data that holds checksums would say little. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A record of a TFRecord file: length (64 bits), its checksum, content, its checksum; the lowest byte first. */
export function tfRecord(content: Uint8Array): Uint8Array {
  const record = Buffer.alloc(16 + content.length);
  record.writeBigUInt64LE(BigInt(content.length));
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(content, 12);
  record.writeUInt32LE(maskedCrc(content), 12 + content.length);
  return record;
}
