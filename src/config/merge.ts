import { isDeepStrictEqual } from 'node:util';

export type PlainObject = Readonly<Record<string, unknown>>;

/** Values for a config and where they come from, for messages: a file or a `--set`. */
export interface ConfigLayer {
  readonly origin: string;
  readonly values: PlainObject;
}

export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Lays `over` on `base`: objects are merged key by key, everything else is replaced, lists too; `undefined` says
 * nothing. Another learning-rate schedule takes only `initial` and `warmup` from the one below, whose other keys mean
 * nothing to it; a network of another family takes nothing.
 */
export function merge(base: PlainObject, over: PlainObject): PlainObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged.get(key);
    if (!isPlainObject(below) || !isPlainObject(value)) merged.set(key, value);
    else if (key === 'learningRate') merged.set(key, merge(keptOfSchedule(below, value), value));
    else if (key === 'network') merged.set(key, merge(keptOfFamily(below, value), value));
    else merged.set(key, merge(below, value));
  }
  return Object.fromEntries(merged);
}

function keptOfSchedule(below: PlainObject, over: PlainObject): PlainObject {
  const { schedule = 'steps', initial, warmup } = below;
  if (over.schedule === undefined || over.schedule === schedule) return below;
  return merge({}, { initial, warmup });
}

function keptOfFamily(below: PlainObject, over: PlainObject): PlainObject {
  const { family = 'densenet' } = below;
  return over.family === undefined || over.family === family ? below : {};
}

/**
 * Merges layers, the lowest first. What a config says of itself holds for it alone: a layer that changes the network
 * or the dataset drops the paper's number, and one that changes anything but name and seed drops the description.
 */
export function mergeLayers(layers: readonly ConfigLayer[]): PlainObject {
  return layers.reduce<PlainObject>((below, { values }) => {
    const merged: Record<string, unknown> = { ...merge(below, values) };
    const drop = (claim: 'paper' | 'description', about: (values: PlainObject) => unknown) => {
      if (below[claim] === undefined || values[claim] !== undefined) return;
      if (!isDeepStrictEqual(about(below), about(merged))) delete merged[claim];
    };
    drop('paper', ({ network, dataset }) => [network, dataset]);
    drop('description', described);
    return merged;
  }, {});
}

/** What a description speaks of. */
function described({
  name: _name,
  description: _description,
  paper: _paper,
  ...rest
}: PlainObject): PlainObject {
  return merge(rest, { training: { seed: 0 } });
}
