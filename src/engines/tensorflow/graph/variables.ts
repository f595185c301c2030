import type { GraphBuilder, Output } from './builder.js';
import { type Segment, totalSize } from './layout.js';
import type { Ops } from './ops.js';

/** A flat float vector that lives in the session from call to call. */
export interface FlatVariable {
  readonly handle: Output;
  readonly size: number;
}

export function flatVariable(graph: GraphBuilder, name: string, segments: readonly Segment[]): FlatVariable {
  const size = totalSize(segments);
  const handle = graph.add(
    'VarHandleOp',
    [],
    {
      dtype: { type: 'float' },
      shape: { shape: [size] },
      shared_name: { string: name },
      container: { string: '' },
    },
    name,
  );
  return { handle, size };
}

export function read(graph: GraphBuilder, variable: FlatVariable): Output {
  return graph.add('ReadVariableOp', [variable.handle], { dtype: { type: 'float' } });
}

/** Returns the node of the assignment, to wait for. */
export function assign(graph: GraphBuilder, variable: FlatVariable, value: Output): Output {
  return graph.add('AssignVariableOp', [variable.handle, value], { dtype: { type: 'float' } });
}

/** Returns the node of the addition, to wait for. */
export function assignAdd(graph: GraphBuilder, variable: FlatVariable, value: Output): Output {
  return graph.add('AssignAddVariableOp', [variable.handle, value], { dtype: { type: 'float' } });
}

/** Cuts a flat vector into its tensors, by name. */
export function views(ops: Ops, flat: Output, segments: readonly Segment[]): Map<string, Output> {
  const sizes = segments.map(({ size }) => size);
  const parts = ops.split(flat, sizes, 0);
  return new Map(
    segments.map(({ name, shape }, index) => {
      const part = parts[index]!;
      return [name, shape.length === 1 ? part : ops.reshape(part, ops.graph.ints(shape))];
    }),
  );
}

/** Lays tensors back into one flat vector. */
export function join(ops: Ops, tensors: ReadonlyMap<string, Output>, segments: readonly Segment[]): Output {
  const flat = segments.map(({ name, shape }) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`nothing was computed for ${name}`);
    return shape.length === 1 ? tensor : ops.reshape(tensor, ops.graph.ints([-1]));
  });
  return ops.concat(flat, 0);
}
