import { deflateSync } from 'node:zlib';

/** A small MAT v5 writer, made from the format's description and not from the reader. */
export interface MatVariable {
  readonly name: string;
  readonly shape: readonly number[];
  /** MATLAB class: 6 double, 9 uint8. */
  readonly matrixClass: number;
  /** Stored type: 2 uint8, 4 uint16, 9 double. */
  readonly type: 2 | 4 | 9;
  readonly values: ArrayLike<number>;
}

export interface MatOptions {
  readonly bigEndian?: boolean;
  readonly compressed?: boolean;
  /** Elements to put between the header and the variables. */
  readonly before?: Buffer;
}

export function writeMat5(variables: readonly MatVariable[], options: MatOptions = {}): Buffer {
  const { bigEndian = false, compressed = true, before = Buffer.alloc(0) } = options;
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file, written by a test');
  header.fill(0, 116, 124);
  header.set(u16(0x0100, bigEndian), 124);
  header.write(bigEndian ? 'MI' : 'IM', 126);
  const elements = variables.map((variable) => {
    const matrix = writeMatrix(variable, bigEndian);
    return compressed ? element(15, deflateSync(matrix), bigEndian, false) : matrix;
  });
  return Buffer.concat([header, before, ...elements]);
}

/** A struct array [N, 1] in MATLAB's form: class 2, or 4 for its texts (UTF-16) and 6 for its numbers. */
export function writeMat5Struct(
  name: string,
  rows: readonly Readonly<Record<string, string | number[]>>[],
): Buffer {
  const fields = Object.keys(rows[0]!);
  const width = 32;
  const names = Buffer.alloc(width * fields.length);
  fields.forEach((field, i) => {
    names.write(field, width * i, 'latin1');
  });
  const values = rows.flatMap((row) => fields.map((field) => structField(row[field]!)));
  const array = matrix(2, [rows.length, 1], name, [
    element(5, u32(width, false)),
    element(1, names),
    ...values,
  ]);
  return Buffer.concat([writeMat5([]), element(15, deflateSync(array), false, false)]);
}

function structField(value: string | number[]): Buffer {
  if (typeof value === 'string') {
    return matrix(4, [value.length > 0 ? 1 : 0, value.length], '', [
      element(4, Buffer.from(value, 'utf16le')),
    ]);
  }
  return matrix(6, [value.length > 0 ? 1 : 0, value.length], '', [element(9, numbers(9, value, false))]);
}

/** An array of any class, with what follows its head. */
export function matrix(
  matrixClass: number,
  shape: readonly number[],
  name: string,
  parts: readonly Buffer[],
): Buffer {
  const head = [
    element(6, Buffer.concat([u32(matrixClass, false), u32(0, false)])),
    element(5, Buffer.concat(shape.map((length) => u32(length, false)))),
    element(1, Buffer.from(name)),
  ];
  return element(14, Buffer.concat([...head, ...parts]));
}

function writeMatrix({ name, shape, matrixClass, type, values }: MatVariable, bigEndian: boolean): Buffer {
  const flags = Buffer.concat([u32(matrixClass, bigEndian), u32(0, bigEndian)]);
  const dimensions = Buffer.concat(shape.map((length) => u32(length, bigEndian)));
  const parts = [
    element(6, flags, bigEndian),
    element(5, dimensions, bigEndian),
    element(1, Buffer.from(name), bigEndian),
    element(type, numbers(type, values, bigEndian), bigEndian),
  ];
  return element(14, Buffer.concat(parts), bigEndian);
}

/** A data element; up to 4 bytes go into the tag, as MATLAB and scipy do. */
export function element(type: number, data: Buffer, bigEndian = false, pad = true): Buffer {
  if (data.length > 0 && data.length <= 4 && pad) {
    const tag = u32(data.length * 0x10000 + type, bigEndian);
    return Buffer.concat([tag, data, Buffer.alloc(4 - data.length)]);
  }
  const padding = Buffer.alloc(pad ? (8 - (data.length % 8)) % 8 : 0);
  return Buffer.concat([u32(type, bigEndian), u32(data.length, bigEndian), data, padding]);
}

function numbers(type: 2 | 4 | 9, values: ArrayLike<number>, bigEndian: boolean): Buffer {
  if (type === 2) return Buffer.from(Uint8Array.from(values));
  if (type === 4) return Buffer.concat(Array.from(values, (value) => u16(value, bigEndian)));
  const bytes = Buffer.alloc(8 * values.length);
  for (let i = 0; i < values.length; i++) {
    if (bigEndian) bytes.writeDoubleBE(values[i]!, 8 * i);
    else bytes.writeDoubleLE(values[i]!, 8 * i);
  }
  return bytes;
}

function u16(value: number, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(2);
  if (bigEndian) bytes.writeUInt16BE(value);
  else bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(4);
  if (bigEndian) bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}
