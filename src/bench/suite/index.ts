import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '../../util/files.js';
import { machine } from '../../util/machine.js';
import { gitState } from '../../util/package.js';
import { speedChart } from './chart.js';
import { runSuite, type SuiteOptions } from './run.js';
import { compare, type Row, toCsv } from './table.js';

/**
 * Runs the suite and writes `NAME.csv` and `NAME.svg` into a folder, anew after every case, so that nothing
 * measured is lost. Returns their paths.
 */
export async function writeSuite(
  options: SuiteOptions & { folder: string; name: string },
): Promise<string[]> {
  const provenance = { machine: machine(), git: await gitState(), date: new Date().toISOString() };
  const { cpu, cores } = provenance.machine;
  const csv = join(options.folder, `${options.name}.csv`);
  const svg = join(options.folder, `${options.name}.svg`);
  await makeFolder(options.folder);
  const rows: Row[] = [];
  for await (const results of runSuite(options)) {
    rows.push(...compare(results));
    await writeFileAtomic(csv, toCsv(rows, provenance));
    await writeFileAtomic(svg, speedChart(rows, `${cpu}, ${cores} cores`));
  }
  return [csv, svg];
}
