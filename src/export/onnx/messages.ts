import { ProtobufMessage } from '../../util/protobuf.js';
import type { Tensor } from '../../util/tensor.js';

/**
 * The messages of an ONNX model. Numbers of fields and types are those of onnx.proto3
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */

/** The operators' version, and the file format's that goes with it (ONNX 1.12, 2022). */
export const OPSET = 17;
const IR_VERSION = 8;

/** TensorProto.DataType */
const FLOAT = 1;

/** AttributeProto.AttributeType */
const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;

export type AttributeValue =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** An input or output of a graph: float32; a size that is a text is known only when the graph runs. */
export interface Value {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly description: string;
}

/** A NodeProto with one output, which has the node's name. */
export function nodeMessage(
  op: string,
  name: string,
  inputs: readonly string[],
  attributes: Attributes,
): ProtobufMessage {
  const node = new ProtobufMessage();
  for (const input of inputs) node.string(1, input);
  node.string(2, name).string(3, name).string(4, op);
  for (const [key, value] of Object.entries(attributes)) node.message(5, attributeMessage(key, value));
  return node;
}

function attributeMessage(name: string, value: AttributeValue): ProtobufMessage {
  const attribute = new ProtobufMessage().string(1, name);
  if ('float' in value) return attribute.float(2, value.float).int(20, ATTRIBUTE.float);
  if ('int' in value) return attribute.int(3, value.int).int(20, ATTRIBUTE.int);
  for (const int of value.ints) attribute.int(8, int);
  return attribute.int(20, ATTRIBUTE.ints);
}

/** A TensorProto. */
export function tensorMessage(name: string, { shape, data }: Tensor): ProtobufMessage {
  const tensor = new ProtobufMessage();
  for (const size of shape) tensor.int(1, size);
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return tensor.int(2, FLOAT).string(8, name).bytes(9, raw);
}

/** A ValueInfoProto. */
export function valueMessage({ name, shape, description }: Value): ProtobufMessage {
  const sizes = new ProtobufMessage();
  for (const size of shape) {
    const dimension = new ProtobufMessage();
    sizes.message(1, typeof size === 'number' ? dimension.int(1, size) : dimension.string(2, size));
  }
  const type = new ProtobufMessage().int(1, FLOAT).message(2, sizes);
  return new ProtobufMessage()
    .string(1, name)
    .message(2, new ProtobufMessage().message(1, type))
    .string(3, description);
}

/** A ModelProto around a GraphProto. */
export function modelMessage(
  graph: ProtobufMessage,
  producer: { readonly name: string; readonly version: string },
  metadata: Readonly<Record<string, string>>,
): ProtobufMessage {
  const model = new ProtobufMessage()
    .int(1, IR_VERSION)
    .string(2, producer.name)
    .string(3, producer.version)
    .message(7, graph)
    .message(8, new ProtobufMessage().string(1, '').int(2, OPSET));
  for (const [key, value] of Object.entries(metadata)) {
    model.message(14, new ProtobufMessage().string(1, key).string(2, value));
  }
  return model;
}
