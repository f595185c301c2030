import { ProtobufMessage } from '../../util/protobuf.js';
import { tfRecord } from './record.js';

/** Messages of TensorBoard's event files: of event.proto, summary.proto and the hparams plugin's plugin_data.proto. */

/** Seconds since 1970, and the step that it belongs to. */
export interface EventTime {
  readonly seconds: number;
  readonly step: number;
}

export type HyperParameter = number | string | boolean;

/** The first record of a file. */
export function fileVersion(seconds: number): Uint8Array {
  return tfRecord(new ProtobufMessage().double(1, seconds).string(3, 'brain.Event:2').finish());
}

/** That the process goes on here: readers drop what earlier files have of this step and of later ones. */
export function sessionStart(moment: EventTime): Uint8Array {
  const START = 1;
  return tfRecord(event(moment).message(7, new ProtobufMessage().int(1, START)).finish());
}

/** Numbers by their tags. */
export function scalars(moment: EventTime, values: Readonly<Record<string, number | undefined>>): Uint8Array {
  const summary = new ProtobufMessage();
  for (const [tag, value] of Object.entries(values)) {
    if (value !== undefined) summary.message(1, new ProtobufMessage().string(1, tag).float(2, value));
  }
  return tfRecord(event(moment).message(5, summary).finish());
}

/** What a run is trained with. */
export function hparamsStart(
  moment: EventTime,
  values: Readonly<Record<string, HyperParameter>>,
): Uint8Array {
  const start = new ProtobufMessage();
  for (const [name, value] of Object.entries(values)) {
    start.message(1, new ProtobufMessage().string(1, name).message(2, protobufValue(value)));
  }
  start.double(5, moment.seconds);
  return hparams(moment, 'session_start_info', new ProtobufMessage().message(3, start));
}

/** How a run ended. */
export function hparamsEnd(moment: EventTime, status: 'success' | 'failure'): Uint8Array {
  const [SUCCESS, FAILURE] = [1, 2];
  const end = new ProtobufMessage()
    .int(1, status === 'success' ? SUCCESS : FAILURE)
    .double(2, moment.seconds);
  return hparams(moment, 'session_end_info', new ProtobufMessage().message(4, end));
}

function event({ seconds, step }: EventTime): ProtobufMessage {
  return new ProtobufMessage().double(1, seconds).int(2, step);
}

/** The plugin's data are a summary's metadata; its value is an empty tensor of floats. */
function hparams(moment: EventTime, name: string, content: ProtobufMessage): Uint8Array {
  const plugin = new ProtobufMessage().string(1, 'hparams').bytes(2, content.finish());
  const tensor = new ProtobufMessage().int(1, 1).message(2, new ProtobufMessage());
  const value = new ProtobufMessage()
    .string(1, `_hparams_/${name}`)
    .message(8, tensor)
    .message(9, new ProtobufMessage().message(1, plugin));
  return tfRecord(event(moment).message(5, new ProtobufMessage().message(1, value)).finish());
}

/** google.protobuf.Value */
function protobufValue(value: HyperParameter): ProtobufMessage {
  const message = new ProtobufMessage();
  if (typeof value === 'number') return message.double(2, value);
  return typeof value === 'string' ? message.string(3, value) : message.int(4, Number(value));
}
