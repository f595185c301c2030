import fc from 'fast-check';

/** Numbers at which sizes and counts go wrong. */
const EDGES = [0, 1, 0x7f, 0xff, 0x1000, 0xffff, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff];

type Change =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'word'; readonly at: number; readonly value: number; readonly big: boolean }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number }
  | { readonly kind: 'cut'; readonly at: number };

/** What damage, or ill will, does to a file. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.nat(255) }),
    fc.record({
      kind: fc.constant('word' as const),
      at: fc.nat(),
      value: fc.constantFrom(...EDGES),
      big: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('insert' as const),
      at: fc.nat(),
      bytes: fc.uint8Array({ maxLength: 20 }),
    }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), length: fc.nat(64) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  ),
  { maxLength: 4 },
);

export function changed(content: Uint8Array, list: readonly Change[]): Buffer {
  return list.reduce<Buffer>((bytes, change) => applied(bytes, change), Buffer.from(content));
}

function applied(bytes: Buffer, change: Change): Buffer {
  const at = change.at % (bytes.length + 1);
  switch (change.kind) {
    case 'byte':
      if (at < bytes.length) bytes[at] = change.value;
      return bytes;
    case 'word': {
      // Fields of headers are aligned.
      const start = at & ~3;
      if (start + 4 > bytes.length) return bytes;
      if (change.big) bytes.writeUInt32BE(change.value, start);
      else bytes.writeUInt32LE(change.value, start);
      return bytes;
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), change.bytes, bytes.subarray(at)]);
    case 'remove':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + change.length)]);
    case 'cut':
      return bytes.subarray(0, at);
  }
}
