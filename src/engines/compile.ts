import type { Network } from '../networks/network.js';
import { survivalProbabilities } from '../networks/residual.js';
import { UserError } from '../util/errors.js';
import type { EngineName } from './engine.js';

/** Throws a UserError (usage) where `training.compile` has nothing to compile, or cannot compile the network. */
export function checkCompile(engine: EngineName, network?: Network): void {
  if (engine === 'native') {
    throw new UserError(
      'usage',
      'training.compile is for the TensorFlow engine; the native engine has nothing left to compile',
      'Set training.compile to false, or use --engine tensorflow.',
    );
  }
  if (network && survivalProbabilities(network).length > 0) {
    throw new UserError(
      'usage',
      'networks with stochastic depth cannot be compiled: XLA would compute every branch in every step',
      'Set training.compile to false.',
    );
  }
}
