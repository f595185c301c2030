import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, UserError } from '../../util/errors.js';
import { makeFolder, writeFileAtomic } from '../../util/files.js';
import { type Machine, machine } from '../../util/machine.js';
import { gitState } from '../../util/package.js';
import { speedChart } from './chart.js';
import { runSuite, type SuiteOptions } from './run.js';
import { compare, type Line, parseCsv, toCsv, toLine } from './table.js';

export interface WriteOptions extends SuiteOptions {
  readonly folder: string;
  readonly name: string;
  /** Keep the cases that the table in the folder has, and measure only the others. */
  readonly resume: boolean;
}

/**
 * Runs the suite and writes `NAME.csv` and `NAME.svg` into a folder, anew after every case, so that nothing
 * measured is lost. Returns their paths.
 */
export async function writeSuite(options: WriteOptions): Promise<string[]> {
  const provenance = { machine: machine(), git: await gitState(), date: new Date().toISOString() };
  const { cpu, cores } = provenance.machine;
  const csv = join(options.folder, `${options.name}.csv`);
  const svg = join(options.folder, `${options.name}.svg`);
  await makeFolder(options.folder);
  const lines = options.resume ? await readLines(csv, provenance.machine) : [];
  const has = new Map(lines.map((line) => [line.case, line.date]));
  const cases = options.cases.filter(({ id, title }) => {
    if (has.has(id)) options.reporter.line(`${title}: measured in the run of ${has.get(id)}`);
    return !has.has(id);
  });
  for await (const results of runSuite({ ...options, cases })) {
    lines.push(...compare(results).map((row) => toLine(row, provenance)));
    await writeFileAtomic(csv, toCsv(lines));
    await writeFileAtomic(svg, speedChart(lines, `${cpu}, ${cores} cores`));
  }
  return [csv, svg];
}

/** The lines of a table that was begun on this machine; none where there is no table yet. */
async function readLines(csv: string, { cpu, cores }: Machine): Promise<Line[]> {
  let lines: Line[];
  try {
    lines = parseCsv(await readFile(csv, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    const message = `cannot go on with ${csv}: ${(error as Error).message}`;
    throw new UserError('data', message, 'Give another --name, or leave out --resume.', { cause: error });
  }
  const other = lines.find((line) => line.cpu !== cpu || line.cores !== `${cores}`);
  if (!other) return lines;
  throw new UserError(
    'usage',
    `${csv} was measured on another machine (${other.cpu}, ${other.cores} cores; this one: ${cpu}, ${cores})`,
    'Give another --name, or leave out --resume.',
  );
}
