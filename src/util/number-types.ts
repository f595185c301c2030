/** A number type of tensor files, little-endian. */
export interface NumberType {
  readonly bits: number;
  /**
   * As single precision. `raw` is a buffer of its own, so that every type is aligned in it. Missing where the type is
   * no number that weights or counts are stored as: such tensors can be passed over, not read.
   */
  readonly read?: (raw: ArrayBufferLike) => Float32Array;
}

/** Every type of the safetensors format under its name there. Integers beyond 2²⁴ are rounded, as are doubles. */
export const NUMBER_TYPES: Readonly<Record<string, NumberType>> = {
  F32: { bits: 32, read: (raw) => new Float32Array(raw) },
  F64: { bits: 64, read: (raw) => Float32Array.from(new Float64Array(raw)) },
  F16: { bits: 16, read: (raw) => Float32Array.from(new Uint16Array(raw), halfPrecision) },
  BF16: { bits: 16, read: readBfloat16 },
  I64: { bits: 64, read: (raw) => Float32Array.from(new BigInt64Array(raw), Number) },
  I32: { bits: 32, read: (raw) => Float32Array.from(new Int32Array(raw)) },
  I16: { bits: 16 },
  I8: { bits: 8 },
  U64: { bits: 64 },
  U32: { bits: 32 },
  U16: { bits: 16 },
  U8: { bits: 8 },
  BOOL: { bits: 8 },
  C64: { bits: 64 },
  F8_E4M3: { bits: 8 },
  F8_E4M3FNUZ: { bits: 8 },
  F8_E5M2: { bits: 8 },
  F8_E5M2FNUZ: { bits: 8 },
  F8_E8M0: { bits: 8 },
  F6_E2M3: { bits: 6 },
  F6_E3M2: { bits: 6 },
  F4: { bits: 4 },
};

/** The names of the types that can be read. */
export const READABLE_TYPES = Object.entries(NUMBER_TYPES).flatMap(([name, { read }]) =>
  read ? [name] : [],
);

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
