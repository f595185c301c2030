import type { Experiment } from '../config/schema.js';
import { FOLDER } from '../datasets/dataset.js';
import { folderChoice } from '../datasets/folder/definition.js';
import { dataFolder } from '../datasets/index.js';
import type { DataOptions } from './data.js';

export type ContentsOptions = Pick<
  DataOptions,
  'folder' | 'workers' | 'skipBadImages' | 'reporter' | 'signal'
>;

/**
 * The experiment with what its folder of images holds now, which is a part of it: other images make another run. Any
 * other experiment as it is, and one that says it already. Throws as `surveyFolder`.
 */
export async function withContents(
  experiment: Experiment,
  { folder, ...options }: ContentsOptions,
): Promise<Experiment> {
  const { dataset } = experiment;
  if (dataset.name !== FOLDER || dataset.contents) return experiment;
  const { surveyFolder } = await import('../input/folder/survey.js');
  const survey = await surveyFolder(folderChoice(dataset), { ...options, dataFolder: dataFolder(folder) });
  for (const note of survey.notes) options.reporter.line(note);
  return { ...experiment, dataset: { ...dataset, contents: survey.contents } };
}
