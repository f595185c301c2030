import { join } from 'node:path';
import { systemCode, UserError } from '../../util/errors.js';
import { makeFolder, writeFileAtomic } from '../../util/files.js';
import { type Machine, machine } from '../../util/machine.js';
import { gitState } from '../../util/package.js';
import { readSmallFile } from '../../util/read-files.js';
import type { Case } from './cases.js';
import { speedChart } from './chart.js';
import { takesPart } from './contenders.js';
import { runSuite, type SuiteOptions, threadsOf } from './run.js';
import { compare, deviceName, type Line, parseCsv, toCsv, toLine } from './table.js';

export interface WriteOptions extends SuiteOptions {
  readonly folder: string;
  readonly name: string;
  /** Keep the cases that the table in the folder has in full, and measure the others. */
  readonly resume: boolean;
}

/**
 * Runs the suite and writes `NAME.csv` and `NAME.svg` into a folder, anew after every case, so that nothing
 * measured is lost. Returns their paths.
 */
export async function writeSuite(options: WriteOptions): Promise<string[]> {
  const provenance = { machine: machine(), git: await gitState(), date: new Date().toISOString() };
  const { contenders, gpu } = options;
  const { cpu, cores } = provenance.machine;
  const heading = gpu ?? `${cpu}, ${cores} cores`;
  const possible = options.cases.filter((subject) =>
    contenders.some((name) => takesPart(name, subject, gpu)),
  );
  if (possible.length === 0) {
    throw new UserError(
      'usage',
      `${contenders.join(', ')} cannot measure any of these cases on ${gpu ? 'a GPU' : 'the CPU'}`,
      'Choose others with --contenders or --cases; densenet bench peers --help lists both.',
    );
  }
  const csv = join(options.folder, `${options.name}.csv`);
  const svg = join(options.folder, `${options.name}.svg`);
  await makeFolder(options.folder);
  const there = options.resume ? await readLines(csv, provenance.machine, gpu) : [];
  const cases = possible.filter((subject) => !isMeasured(subject, there, options));
  for (const { id, title } of possible.filter((subject) => !cases.includes(subject))) {
    const { date } = there.find((line) => line.case === id)!;
    options.reporter.line(`${title}: measured in the run of ${date}`);
  }
  const lines = there.filter((line) => !cases.some(({ id }) => id === line.case));
  const write = async () => {
    await writeFileAtomic(csv, toCsv(lines));
    await writeFileAtomic(svg, speedChart(lines, heading));
  };
  // A kill may have come between the two files.
  if (lines.length > 0) await write();
  for await (const results of runSuite({ ...options, cases })) {
    lines.push(...compare(results).map((row) => toLine(row, provenance)));
    await write();
  }
  return [csv, svg];
}

/** Whether a table has all that these options ask for of a case: no contender failed, or was measured for less. */
export function isMeasured(
  subject: Case,
  lines: readonly Line[],
  {
    contenders,
    gpu,
    rounds,
    steps,
    threads,
  }: Pick<SuiteOptions, 'contenders' | 'gpu' | 'rounds' | 'steps' | 'threads'>,
): boolean {
  const asked = { rounds: `${rounds}`, n: `${rounds * steps}`, threads: `${threadsOf(subject, threads)}` };
  return contenders
    .filter((name) => takesPart(name, subject, gpu))
    .every((name) => {
      const line = lines.find((one) => one.case === subject.id && one.contender === name);
      return line?.rounds === asked.rounds && line.n === asked.n && line.threads === asked.threads;
    });
}

/** Of a table, at most: many times what all cases have. */
const MOST_BYTES = 100e6;

/** The lines of a table that was begun here, on this device; none where there is no table yet. */
async function readLines(
  csv: string,
  { cpu, cores, platform }: Machine,
  gpu: string | undefined,
): Promise<Line[]> {
  let lines: Line[];
  try {
    lines = parseCsv((await readSmallFile(csv, MOST_BYTES)).toString('utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    const message = `cannot resume ${csv}: ${(error as Error).message}`;
    throw new UserError('data', message, 'Give another --name, or leave out --resume.', { cause: error });
  }
  const here = placeOf({ device: deviceName(gpu), cpu, cores: `${cores}`, platform });
  const other = lines.map(placeOf).find((place) => place !== here);
  if (!other) return lines;
  throw new UserError(
    'usage',
    `${csv} was measured on another machine or device (${other}; here: ${here})`,
    'Give another --name, or leave out --resume.',
  );
}

function placeOf({
  device,
  cpu,
  cores,
  platform,
}: Pick<Line, 'device' | 'cpu' | 'cores' | 'platform'>): string {
  return `${device}, ${cpu}, ${cores} cores, ${platform}`;
}
