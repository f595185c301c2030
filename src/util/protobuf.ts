/** Kinds of fields on the wire (https://protobuf.dev/programming-guides/encoding/). */
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Writes one protocol buffer message, field by field. Large values are not copied until the end. */
export class ProtobufMessage {
  readonly #pieces: Uint8Array[] = [];

  /** An int32, int64 or enum that is not negative. */
  int(field: number, value: number): this {
    this.#pieces.push(varint(field * 8 + VARINT), varint(value));
    return this;
  }

  /** A single-precision number. */
  float(field: number, value: number): this {
    this.#pieces.push(varint(field * 8 + FIXED_32), new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  double(field: number, value: number): this {
    this.#pieces.push(varint(field * 8 + FIXED_64), new Uint8Array(Float64Array.of(value).buffer));
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#pieces.push(varint(field * 8 + LENGTH_DELIMITED), varint(value.length), value);
    return this;
  }

  /** A message inside this one, as it is now. */
  message(field: number, value: ProtobufMessage): this {
    this.#pieces.push(varint(field * 8 + LENGTH_DELIMITED), varint(value.length), ...value.#pieces);
    return this;
  }

  get length(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}

/** Seven bits per byte, the lowest first; the high bit says that more follow. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
