import { expect, test } from 'vitest';
import { ProtobufMessage } from '../../src/util/protobuf.js';

const hex = (message: ProtobufMessage) => Buffer.from(message.finish()).toString('hex');

// The first three are the examples of protobuf.dev/programming-guides/encoding.
test.each<[string, ProtobufMessage, string]>([
  ['a small number', new ProtobufMessage().int(1, 150), '089601'],
  ['a text', new ProtobufMessage().string(2, 'testing'), '120774657374696e67'],
  ['a message inside', new ProtobufMessage().message(3, new ProtobufMessage().int(1, 150)), '1a03089601'],
  ['zero', new ProtobufMessage().int(1, 0), '0800'],
  ['the edge of one byte', new ProtobufMessage().int(1, 127).int(1, 128), '087f088001'],
  ['2⁴⁰, beyond 32 bits', new ProtobufMessage().int(1, 2 ** 40), '08808080808020'],
  ['a field beyond 15', new ProtobufMessage().int(20, 7), 'a00107'],
  ['a float', new ProtobufMessage().float(2, 1.5), '150000c03f'],
  ['a double', new ProtobufMessage().double(1, 1.5), '09000000000000f83f'],
  ['no text, no bytes', new ProtobufMessage().string(1, '').bytes(2, new Uint8Array()), '0a001200'],
  [
    'bytes of more than 127',
    new ProtobufMessage().bytes(1, new Uint8Array(128)),
    `0a8001${'00'.repeat(128)}`,
  ],
])('%s', (_, message, expected) => expect(hex(message)).toBe(expected));
