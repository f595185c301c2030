import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/util/errors.js';
import { NUMBER_TYPES } from '../../src/util/number-types.js';
import { encodeSafetensors, openSafetensors } from '../../src/util/safetensors.js';
import type { StoredTensors } from '../../src/util/stored-tensor.js';
import { openTensorFile } from '../../src/util/tensor-file.js';
import { encodeNpz } from '../cli/npz-writer.js';
import { FUZZ_RUNS } from '../fuzz.js';

/** Any file is read or refused with a UserError, in little time and memory, whatever it claims to hold. */
const MOST_SECONDS = 5;
const MOST_MEMORY = 512 * 2 ** 20;
/** A network wants tensors of its own shapes only; here those of up to so many elements. */
const MOST_ELEMENTS = 100_000;

const fixture = (path: string) => readFileSync(new URL(`../fixtures/${path}`, import.meta.url));

const tensors = new Map(
  ['features.conv0.weight', 'classifier.bias', 'x'].map((name, index) => {
    const shape = [index + 1, 3, 2];
    return [name, { shape, data: Float32Array.from({ length: 6 * (index + 1) }, (_, i) => i) }];
  }),
);

/** Numbers that sizes and places are mistaken for. */
const size = fc.oneof(
  fc.nat(300),
  fc.constantFrom(0, 1, 0x7f, 0xff, 0xffff, 0x10000, 0x7fffffff, 0xfffffffe, 0xffffffff),
);
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('byte', 'short', 'long', 'cut', 'double', 'insert'),
  value: size,
});

/** A file with some of its bytes overwritten, cut off, repeated or pushed apart. */
function damaged(
  whole: Uint8Array,
  edits: readonly { at: number; kind: string; value: number }[],
): Uint8Array {
  let bytes = Buffer.from(whole);
  for (const { at, kind, value } of edits) {
    const place = Math.floor(at * Math.max(0, bytes.length - 4));
    if (bytes.length < 8) break;
    if (kind === 'byte') bytes.writeUInt8(value & 0xff, place);
    else if (kind === 'short') bytes.writeUInt16LE(value & 0xffff, place);
    else if (kind === 'long') bytes.writeUInt32LE(value, place);
    else if (kind === 'cut') bytes = bytes.subarray(0, place);
    else {
      const more =
        kind === 'double' ? bytes.subarray(place, place + value) : Buffer.alloc(value % 1000, value);
      bytes = Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)]);
    }
  }
  return bytes;
}

function readAll(open: () => StoredTensors): void {
  const start = performance.now();
  try {
    for (const { shape, read } of open().tensors.values()) {
      if (shape.reduce((product, n) => product * n, 1) > MOST_ELEMENTS) continue;
      attempt(read);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
  expect((performance.now() - start) / 1000).toBeLessThan(MOST_SECONDS);
}

function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
}

function fuzz<T>(arbitrary: fc.Arbitrary<T>, run: (value: T) => void): void {
  const before = process.memoryUsage().rss;
  fc.assert(fc.property(arbitrary, run), { seed: 1, numRuns: FUZZ_RUNS });
  expect(process.memoryUsage().rss - before).toBeLessThan(MOST_MEMORY);
}

describe('any file is read or refused, in little time and memory', { timeout: 600_000 }, () => {
  test('safetensors with any header', () => {
    const entry = fc.oneof(
      fc.record({
        dtype: fc.oneof(fc.constantFrom(...Object.keys(NUMBER_TYPES)), fc.string()),
        shape: fc.oneof(fc.array(size, { maxLength: 5 }), fc.anything()),
        data_offsets: fc.oneof(fc.tuple(size, size), fc.anything()),
      }),
      fc.anything(),
    );
    const header = fc.dictionary(fc.oneof(fc.string(), fc.constant('__metadata__')), entry);
    const file = fc.tuple(header, size, fc.array(edit, { maxLength: 2 })).map(([value, data, edits]) => {
      const json = Buffer.from(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one)));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(json.length));
      return damaged(Buffer.concat([length, json, Buffer.alloc(Math.min(data, 5000))]), edits);
    });
    fuzz(file, (bytes) => readAll(() => openSafetensors(bytes, 'x')));
  });

  test.each([
    ['safetensors', encodeSafetensors(tensors, { note: 'x' })],
    ['safetensors of every type', fixture('safetensors/python.safetensors')],
    ['stored .npz', encodeNpz(tensors)],
    ['deflated .npz', fixture('tensor-files/deflated.npz')],
  ])('%s, damaged', (_, whole) => {
    const file = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => damaged(whole, edits));
    fuzz(file, (bytes) => readAll(() => openTensorFile(bytes, 'x')));
  });

  test('any bytes behind the beginnings of files of many kinds', () => {
    const beginning = fc.constantFrom(
      ...[
        '',
        '<!DOCTYPE html>',
        '{',
        '\x89HDF\r\n\x1a\n',
        '\x93NUMPY',
        'PK\x03\x04',
        'PK\x05\x06',
        '\x80\x02',
      ],
    );
    const file = fc.tuple(beginning, fc.uint8Array({ maxLength: 2000 }));
    fuzz(file, ([text, rest]) =>
      readAll(() => openTensorFile(Buffer.concat([Buffer.from(text, 'latin1'), rest]), 'x')),
    );
  });
});
