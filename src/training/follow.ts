import type { Experiment } from '../config/schema.js';
import type { ModelState } from '../engines/engine.js';
import type { EngineChoice } from '../engines/select.js';
import type { Group } from '../mpi/group.js';
import type { Network } from '../networks/network.js';
import { elementCount, initialValues, isTrainable, parameters } from '../networks/parameters.js';
import type { Tensor } from '../util/tensor.js';
import { checkTraining } from './check.js';
import { initialState, type Origin, type Progress } from './checkpoint.js';
import { withOwnGpu } from './divide.js';
import { networkOf } from './model.js';
import { type RunOptions, withExperiment } from './open.js';
import { train } from './session.js';

/** What the first process tells the others of a run. Files of the run it alone reads and writes. */
interface Announcement {
  readonly experiment: Experiment;
  readonly progress: Progress;
  readonly subset: number | undefined;
  readonly choice: Pick<EngineChoice, 'engine' | 'device' | 'reason'>;
}

/** Tells the others what to train, and from which state. */
export async function announce(
  group: Group,
  network: Network,
  state: ModelState,
  announcement: Announcement,
): Promise<void> {
  if (group.size === 1) return;
  announced.add(group);
  await group.share<Announcement | null>(announcement);
  await shareState(group, network, state);
}

/** Groups whose processes train with the first. */
const announced = new WeakSet<Group>();

/** Lets the others go where there was nothing to announce. */
export async function dismiss(group: Group): Promise<void> {
  if (!announced.has(group)) await group.share<Announcement | null>(null);
}

/** Trains with the first process, as one of the others. */
export async function followRun(options: Omit<RunOptions, 'choice'>, gpu: number | undefined): Promise<void> {
  const { group } = options;
  const announcement = await group.share<Announcement | null>(undefined);
  if (announcement === null) return;
  const { experiment, progress, subset, choice } = announcement;
  const network = networkOf(experiment);
  const state = initialState(network, initialValues(network, experiment.training.seed));
  await shareState(group, network, state);
  const own = await withOwnGpu(choice, group, gpu);
  const opening = { ...options, choice: own, subset };
  await checkTraining(experiment, network, { ...opening, processes: group.size });
  await withExperiment(experiment, network, opening, async (open) => {
    const { name, device, description } = open.engine;
    const origin: Origin = { subset, engine: { name, device, description } };
    const task = { ...options, ...open, experiment, network, origin };
    await train({ ...task, folder: undefined, start: { state, progress }, resumed: true });
  });
}

/** Fills a state with that of the first process. */
async function shareState(group: Group, network: Network, { weights, momentum }: ModelState): Promise<void> {
  const tensors = parameters(network).flatMap((parameter): Tensor[] => [
    weights.get(parameter.name)!,
    ...(isTrainable(parameter) ? [momentum.get(parameter.name)!] : []),
  ]);
  const flat = new Float32Array(tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0));
  let offset = 0;
  for (const { data } of tensors) {
    flat.set(data, offset);
    offset += data.length;
  }
  await group.shareFloats(flat);
  offset = 0;
  for (const { data } of tensors) {
    data.set(flat.subarray(offset, offset + data.length));
    offset += data.length;
  }
}
