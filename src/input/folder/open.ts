import type { Dataset, ImageSet } from '../../datasets/dataset.js';
import { type FolderChoice, folderDefinition } from '../../datasets/folder/definition.js';
import type { FolderFiles } from '../../datasets/folder/folder-files.js';
import { UserError } from '../../util/errors.js';
import { formatBytes, formatCount } from '../../util/format.js';
import { usableMemory } from '../../util/machine.js';
import { lookAt } from './look-at.js';
import { checkSame, type FolderSurvey, type SurveyOptions, surveyFolder } from './survey.js';

/**
 * Opens the images of a folder: photographs in their files, others made small and laid into memory. Throws a UserError
 * (data) where they are not those that the config names, or as `surveyFolder`.
 */
export async function openFolder(choice: FolderChoice, options: SurveyOptions): Promise<Dataset> {
  const survey = await surveyFolder(choice, options);
  const { contents, skipped } = survey;
  refuseOthers(choice, survey);
  // What was stored with a run holds for it.
  const definition = folderDefinition({ ...choice, contents: choice.contents ?? contents });
  const common = { definition, digest: contents.digest, skipped };
  if (choice.photographs) return { ...common, train: survey.train, test: survey.test };
  requireMemory(choice, contents.train + contents.test);
  const train = await inMemory(survey.train, survey, choice, options);
  return { ...common, train, test: await inMemory(survey.test, survey, choice, options) };
}

function refuseOthers({ path, contents: named }: FolderChoice, { contents: found }: FolderSurvey): void {
  if (named === undefined || named.digest === found.digest) return;
  const counts = ({ train, test }: typeof found) => `${formatCount(train)} + ${formatCount(test)}`;
  throw new UserError(
    'data',
    `the images in ${path} have changed: they are not those that the config names (${counts(named)} images then, ${counts(found)} now)`,
    'Put back what was there; or start a new run, with a config that has no dataset.contents.',
  );
}

function requireMemory({ path, size }: FolderChoice, images: number): void {
  const needed = images * 3 * size ** 2;
  const there = usableMemory();
  if (needed <= there) return;
  throw new UserError(
    'data',
    `the ${formatCount(images)} images in ${path} take ${formatBytes(needed)} at ${size}×${size} pixels, and this machine has ${formatBytes(there)}`,
    'Set dataset.photographs to true, which decodes them when they are needed, or choose a smaller dataset.size.',
  );
}

async function inMemory(
  { count, files, labels }: FolderFiles,
  { sha256 }: FolderSurvey,
  { size }: FolderChoice,
  options: SurveyOptions,
): Promise<ImageSet> {
  const values = 3 * size ** 2;
  const memory = new SharedArrayBuffer(count * values);
  const target = (index: number) => ({ memory, offset: index * values });
  await lookAt(files, { ...options, what: 'decoding', side: size, target }, ({ path }, seen) => {
    checkSame(path, seen, sha256.get(path));
  });
  return {
    count,
    channels: 3,
    height: size,
    width: size,
    images: new Uint8Array(memory),
    labels,
    name: async (index) => files[index]!.path,
  };
}
