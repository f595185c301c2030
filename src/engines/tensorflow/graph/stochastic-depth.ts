import type { Output } from './builder.js';
import { type TrainingContext, weight } from './context.js';
import type { GraphLayer } from './layers.js';

/**
 * A shortcut and a branch that is there in some steps only (stochastic depth; `survivors` says in which): their sum,
 * or the shortcut alone. Where the branch is not there TensorFlow computes nothing of it, forwards or backwards: its
 * gradients are 0 and its running statistics stay. `shortcut` and the branch read the same `x`.
 */
export function whereThere(
  context: TrainingContext,
  shortcut: GraphLayer,
  x: Output,
  build: (context: TrainingContext, x: Output) => GraphLayer,
): GraphLayer {
  const { ops, maps, running, gradients, batchStatistics } = context;
  const there = context.nextBranch();
  const present = (value: Output) => maps.switch(value, there).whenTrue;
  const absent = (value: Output) => maps.switch(value, there).whenFalse;
  const absentVector = (value: Output) => ops.switch(value, there).whenFalse;

  const inner = {
    ...context,
    gradients: new Map<string, Output>(),
    batchStatistics: new Map<string, Output>(),
  };
  const branch = build(inner, present(x));
  for (const [name, statistic] of inner.batchStatistics) {
    batchStatistics.set(name, ops.merge(absentVector(weight({ weights: running }, name)), statistic));
  }
  return {
    y: maps.merge(absent(shortcut.y), maps.binary('AddV2', shortcut.y, branch.y)),
    backward(dy, x) {
      const around = shortcut.backward(dy, x);
      const through = branch.backward(present(dy), present(x));
      for (const [name, gradient] of inner.gradients) {
        const none = ops.unary('ZerosLike', absentVector(weight(context, name)));
        gradients.set(name, ops.merge(none, gradient));
      }
      return maps.merge(absent(around), maps.binary('AddV2', around, through));
    },
  };
}
