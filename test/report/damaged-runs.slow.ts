import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reportPage } from '../../src/report/page.js';
import { gatherReport } from '../../src/report/report.js';
import { readFinishedRuns } from '../../src/runs/finished-runs.js';
import { readRunRecords } from '../../src/runs/run-records.js';
import { measurements } from '../../src/tables/measurements.js';
import { paperTable } from '../../src/tables/paper-table.js';
import { runDetails } from '../../src/tables/run-details.js';
import { comparison, runRow } from '../../src/tables/run-tables.js';
import { silent } from '../../src/util/reporter.js';
import { temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

type Damage = (path: string) => Promise<unknown>;

const write =
  (content: string | Uint8Array): Damage =>
  (path) =>
    writeFile(path, content);

const remove: Damage = (path) => rm(path, { force: true });

const rewrite =
  (change: (text: string) => string): Damage =>
  async (path) =>
    writeFile(path, change(await readFile(path, 'utf8').catch(() => '{"error": 1}')));

const DAMAGES: Readonly<Record<string, Damage>> = {
  'an empty file': write(''),
  null: write('null'),
  'an empty list': write('[]'),
  'an empty object': write('{}'),
  bytes: write(Uint8Array.of(0, 255, 1, 200)),
  'half of it': rewrite((text) => text.slice(0, text.length / 2)),
  'infinite numbers': rewrite((text) => text.replaceAll(/\d+/g, '1e999')),
  'objects in place of values': rewrite((text) => text.replaceAll(/: (\d+|"[^"]*")/g, ': {"x": null}')),
  nothing: remove,
  'a folder': async (path) => {
    await remove(path);
    await mkdir(path);
  },
  'a circle of links': async (path) => {
    await remove(path);
    await symlink(path, path);
  },
  'a link to nothing': async (path) => {
    await remove(path);
    await symlink('/nowhere', path);
  },
  'half a gigabyte of zeros': async (path) => {
    await writeFile(path, '');
    await truncate(path, 5e8);
  },
};

const FILES = ['config.json', 'environment.json', 'result.json', 'epochs.csv', 'ten-crop.json'];

test.each(FILES)('no damage to %s of one run stops lists, tables or reports of others', async (file) => {
  const results = await temporaryFolder();
  const whole = await makeRun(results, 'quickstart');
  const damaged = await makeRun(results, 'quickstart', { set: ['training.seed=2'] });
  for (const [what, damage] of Object.entries(DAMAGES)) {
    const path = join(damaged.path, file);
    const before = await readFile(path).catch(() => undefined);
    await damage(path);
    const records = await readRunRecords(results);
    expect(records[0], what).toMatchObject({ folder: { name: whole.name }, status: 'finished' });
    expect(records.map(runRow)[0]).toMatchObject({ test_error: 20 });
    expect(comparison(records).rows).toHaveLength(records.length);
    for (const record of records) runDetails(record);
    const measured = measurements(await readFinishedRuns(results, silent));
    expect(measured[0]!.runs[0]).toBe(whole.name);
    await paperTable('2', measured, {});
    const page = reportPage(await gatherReport(records, { heatMaps: false, reporter: silent }));
    expect(page).toContain(whole.name);
    await rm(path, { recursive: true, force: true });
    if (before) await writeFile(path, before);
  }
});
