import type { Experiment } from '../config/schema.js';
import type { Network } from '../networks/network.js';
import type { Plan } from '../training/plan.js';
import { formatBytes, formatCount } from '../util/format.js';

/** What `--dry-run` prints. */
export function planLines(experiment: Experiment, network: Network, plan: Plan, processes: number): string[] {
  const { images, dataset } = plan;
  const { epochs, batchSize, accumulate } = experiment.training;
  const validation = images.validation > 0 ? `, ${formatCount(images.validation)} validation` : '';
  const parts = accumulate > 1 ? `, each of ${accumulate} micro-batches` : '';
  const each = accumulate / processes;
  return [
    `${experiment.name}: ${network.title}`,
    ...(experiment.description ? [experiment.description] : []),
    `  parameters      ${formatCount(plan.parameters)}`,
    `  multiply-adds   ${formatCount(plan.multiplyAdds)} per image`,
    `  activations     ${formatBytes(plan.activationBytes)} per ${accumulate > 1 ? 'micro-batch' : 'batch'} of ${batchSize / accumulate}`,
    `  images          ${formatCount(images.train)} training${validation}, ${formatCount(images.test)} test`,
    `  steps           ${formatCount(plan.steps)} (${epochs} epochs of ${formatCount(plan.stepsPerEpoch)})${parts}`,
    ...(processes > 1
      ? [`  processes       ${processes}, each with ${each} micro-batch${each === 1 ? '' : 'es'} of a step`]
      : []),
    `  operations      ${plan.trainingFlops.toExponential(1)} floating-point operations of training`,
    dataset.present
      ? `  data            present in ${dataset.folder}`
      : `  data            ${missingData(experiment, dataset)}`,
    'Nothing was fetched or trained, and nothing was written to the results (--dry-run).',
  ];
}

function missingData(
  { dataset: { name } }: Experiment,
  { brought, downloadBytes, folder }: Plan['dataset'],
): string {
  return brought
    ? `not present; import it with: densenet data fetch ${name} --from DIR`
    : `${formatBytes(downloadBytes)} to be fetched to ${folder}`;
}
