import { Command, Option } from 'commander';
import { type DatasetName, FOLDER } from '../datasets/dataset.js';
import {
  checkFolders,
  type DatasetCheck,
  dataFolder,
  datasetName,
  datasetStatus,
  definition,
  definitions,
  fetchDataset,
  knownFolders,
  verifyDataset,
} from '../datasets/index.js';
import { UserError } from '../util/errors.js';
import { formatBytes, formatCount } from '../util/format.js';
import type { Reporter } from '../util/reporter.js';
import {
  addTerminalOptions,
  dataOption,
  type TerminalOptions,
  type WideOption,
  wideOption,
} from './options.js';
import { print, printJson, tableLines } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet data list                                      what there is, and what is here
  densenet data fetch cifar10 cifar100                    download; run it again to continue a broken download
  densenet data fetch svhn --data /big/disk               into another folder
  densenet data fetch fashion-mnist --from ~/Downloads    import files that you have; they stay where they are
  densenet data fetch cifar10 --mirror https://host/dir   download from another host
  densenet data fetch imagenet --from /big/imagenet       index the archives of ILSVRC2012, which stay where they are
  densenet data verify                                    read every file that is here and check its digest`;

interface DataCliOptions extends TerminalOptions {
  readonly data?: string;
}

interface FetchCliOptions extends DataCliOptions {
  readonly from?: string;
  readonly mirror?: string;
}

export function dataCommand(): Command {
  const command = new Command('data')
    .description('list, fetch and verify datasets')
    .addHelpText('after', EXAMPLES);
  addOptions(
    command
      .command('list')
      .description('list the datasets, and which are here')
      .addOption(wideOption())
      .addHelpText('after', EXAMPLES),
  ).action(runList);
  addOptions(
    command
      .command('fetch')
      .description('download or import datasets; does nothing for datasets that are already complete')
      .argument('<name...>', `any of ${definitions.map(({ name }) => name).join(', ')}`)
      .option('--from <dir>', 'import from this folder: archives, or the files in them, gzipped or not')
      .addOption(
        new Option('--mirror <url>', "download <url>/<file> instead of the publisher's address").conflicts(
          'from',
        ),
      )
      .addHelpText('after', EXAMPLES),
  ).action(runFetch);
  addOptions(
    command
      .command('verify')
      .description('read every file of the datasets and check its size and digest')
      .argument('[name...]', 'default: every dataset that is here')
      .addHelpText('after', EXAMPLES),
  ).action(runVerify);
  return command;
}

function addOptions(command: Command): Command {
  return addTerminalOptions(command.addOption(dataOption()));
}

async function runList(options: DataCliOptions & WideOption): Promise<void> {
  const folder = dataFolder(options.data);
  const rows = await Promise.all(
    definitions.map(async ({ name, title, trainCount, testCount }) => {
      const { counts, present, bytes, folder: where } = await datasetStatus(name, folder);
      return { name, title, trainCount, testCount, counts, present, bytes, folder: where };
    }),
  );
  const folders = await knownFolders(folder);
  if (options.json) {
    printJson({ folder, datasets: rows, folders });
    return;
  }
  const published = rows.map((row) => [
    row.name,
    row.title,
    formatCount(row.counts?.train ?? row.trainCount),
    formatCount(row.counts?.test ?? row.testCount),
    row.bytes > 0 ? formatBytes(row.bytes) : '',
    row.present ? 'yes' : row.bytes > 0 ? 'incomplete' : 'no',
    row.folder,
  ]);
  const own = folders.map(({ path, images, bytes, present }) => [
    FOLDER,
    `${formatCount(images)} images of your own`,
    '',
    '',
    formatBytes(bytes),
    present ? 'yes' : 'no',
    path,
  ]);
  const columns = ['Name', 'Title', 'Training', 'Test', 'On disk', 'Present', 'Folder'];
  const right = ['Training', 'Test', 'On disk'];
  const drop = ['Folder', 'Title', 'Test', 'Training', 'On disk'];
  print(tableLines({ columns, right, drop, rows: [...published, ...own] }, options));
}

/** What `fetch` has done. */
const DONE = { downloaded: 'fetched', shipped: 'comes with densenet', brought: 'indexed' } as const;

async function runFetch(names: string[], options: FetchCliOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const folder = dataFolder(options.data);
  checkMirror(options.mirror);
  if (names.includes(FOLDER)) throw nothingToFetch(options.from);
  const results = [];
  for (const name of names.map(datasetName)) {
    const { from, mirror } = options;
    const fetched = await fetchDataset(name, { folder, from, mirror, reporter });
    const { folder: where, bytes } = await datasetStatus(name, folder);
    const { origin } = definition(name);
    const what = fetched || origin === 'shipped' ? DONE[origin] : 'is here already';
    const result = `${name} ${what}: ${formatBytes(bytes)} in ${where}`;
    if (!options.json) print(result);
    results.push({ name, fetched, bytes, folder: where });
  }
  if (options.json) printJson({ folder, datasets: results });
}

function nothingToFetch(from = 'DIR'): UserError {
  return new UserError(
    'usage',
    'a folder of your own images is not fetched: it is used where it lies',
    `Name it in a config, dataset: { name: folder, path: ${from} }, and look at it with: densenet train CONFIG --dry-run`,
  );
}

function checkMirror(url: string | undefined): void {
  if (url === undefined || (/^https?:\/\//.test(url) && URL.canParse(url))) return;
  throw new UserError(
    'usage',
    `--mirror ${url} is not an address`,
    'Give the address of a folder, such as https://host/datasets.',
  );
}

async function runVerify(names: string[], options: DataCliOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const folder = dataFolder(options.data);
  const chosen =
    names.length > 0
      ? names.map((name) => (name === FOLDER ? name : datasetName(name)))
      : await namesOnDisk(folder);
  const results: NamedCheck[] = [];
  for (const name of chosen) {
    const check = await verifyWithBar(name, folder, reporter);
    results.push({ name, ...check });
  }
  if (options.json) printJson({ folder, datasets: results });
  else print(results.flatMap(describeCheck));
  const bad = results.filter((check) => !check.whole).map(({ name }) => name);
  if (bad.length > 0) {
    throw new UserError('data', `not whole: ${bad.join(', ')}`, remedyFor(bad));
  }
}

function remedyFor(bad: readonly NamedCheck['name'][]): string {
  if (bad.includes(FOLDER)) return 'Put back the images as they were; on others, train makes another run.';
  const brought = bad.filter((name) => name !== FOLDER && definition(name).origin === 'brought');
  if (brought.length > 0) {
    return `Put back what is named above from another copy, then: densenet data fetch ${brought.join(' ')} --from DIR`;
  }
  return `Fetch what is missing or damaged: densenet data fetch ${bad.join(' ')}`;
}

type NamedCheck = { readonly name: DatasetName | typeof FOLDER } & DatasetCheck;

function describeCheck({ name, recorded, files }: NamedCheck): string[] {
  if (name === FOLDER) return folderLines(files);
  const { origin } = definition(name);
  const manifest =
    recorded || origin === 'brought' ? [] : [`${name}/manifest.json: missing or not of these files`];
  return [...files.map((file) => `${name}/${file.name}: ${file.status}`), ...manifest];
}

function folderLines(files: DatasetCheck['files']): string[] {
  if (files.length === 0) return ['folder: no images of your own have been read yet'];
  return files.map((file) => `${file.path}: ${file.status}`);
}

/** The datasets of which at least something is on disk. */
async function namesOnDisk(folder: string) {
  const names = definitions.map(({ name }) => name);
  const statuses = await Promise.all(names.map((name) => datasetStatus(name, folder)));
  const own = (await knownFolders(folder)).length > 0 ? ([FOLDER] as const) : [];
  return [...names.filter((_, i) => statuses[i]!.bytes > 0), ...own];
}

async function verifyWithBar(
  name: NamedCheck['name'],
  folder: string,
  reporter: Reporter,
): Promise<DatasetCheck> {
  const bytes = await bytesOf(name, folder);
  const bar = reporter.bar(name, bytes, 'bytes');
  let done = 0;
  try {
    const onBytes = (read: number) => {
      done += read;
      bar.update(done);
    };
    return await (name === FOLDER
      ? checkFolders(folder, { onBytes })
      : verifyDataset(name, folder, { onBytes }));
  } finally {
    bar.finish();
  }
}

async function bytesOf(name: NamedCheck['name'], folder: string): Promise<number> {
  if (name !== FOLDER) return (await datasetStatus(name, folder)).bytes;
  return (await knownFolders(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
}
