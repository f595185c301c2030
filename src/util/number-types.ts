/** The number types that tensor files may hold, little-endian, each read as single precision. */
export interface NumberType {
  readonly bytes: number;
  /** `raw` is a buffer of its own, so that every type is aligned in it. */
  readonly read: (raw: ArrayBufferLike) => Float32Array;
}

/** Under their names in safetensors. Integers beyond 2²⁴ are rounded, as are doubles. */
export const NUMBER_TYPES: Readonly<Record<string, NumberType>> = {
  F32: { bytes: 4, read: (raw) => new Float32Array(raw) },
  F64: { bytes: 8, read: (raw) => Float32Array.from(new Float64Array(raw)) },
  F16: { bytes: 2, read: (raw) => Float32Array.from(new Uint16Array(raw), halfPrecision) },
  BF16: { bytes: 2, read: readBfloat16 },
  I64: { bytes: 8, read: (raw) => Float32Array.from(new BigInt64Array(raw), Number) },
  I32: { bytes: 4, read: (raw) => Float32Array.from(new Int32Array(raw)) },
};

/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
function halfPrecision(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of a single-precision number. */
function readBfloat16(raw: ArrayBufferLike): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(raw), (bits) => bits << 16).buffer);
}
