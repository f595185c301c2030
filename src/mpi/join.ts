import type { BuildOptions } from '../util/addon/build.js';
import { loadAddon } from '../util/addon/load.js';
import { MPI } from './addon.js';
import type { MpiBinding } from './binding.js';
import type { Group } from './group.js';
import type { Place } from './place.js';
import { AgreedFailure, Processes, type ProcessesOptions } from './processes.js';

/**
 * Lets `use` work as one of several processes. What one of them throws, all throw. Throws a UserError (engine) if MPI
 * cannot be used.
 */
export async function withGroup(
  here: Place,
  options: BuildOptions & ProcessesOptions,
  use: (group: Group, tools: Pick<Processes, 'warn' | 'lost'>) => Promise<void>,
): Promise<void> {
  const binding = await loadAddon<MpiBinding>(MPI, options);
  const group = await Processes.join(binding, here, options);
  try {
    await use(group, group);
    await group.agree();
  } catch (error) {
    const failure = error instanceof AgreedFailure ? error : await group.fail(error);
    // Without the others there is no leaving in order: the launcher ends them when this process has ended.
    if (failure === undefined) throw error;
    await group.leave();
    throw failure.error;
  }
  await group.leave();
}
