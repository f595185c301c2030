import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { run, startInTerminal, temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

async function someRuns() {
  const folder = await temporaryFolder();
  const results = join(folder, 'results');
  const a = await makeRun(results, 'quickstart', { errors: [60, 12.5] });
  const b = await makeRun(results, 'quickstart', { set: ['training.seed=2'], errors: [60, 11.25] });
  const failed = await makeRun(results, 'smoke-cifar10', {
    status: 'failed',
    errors: [],
    message: 'disk full',
  });
  return { folder, a, b, failed };
}

describe('runs', () => {
  test('are found through links, and results that cannot be read are said, not passed over', async () => {
    const { folder, a } = await someRuns();
    const linked = join(folder, 'linked');
    await mkdir(join(linked, 'runs'), { recursive: true });
    await symlink(join(folder, 'results', 'runs', 'quickstart'), join(linked, 'runs', 'quickstart'));
    const listed = await run(folder, ['runs', 'list', '--results=linked', '--json']);
    expect(JSON.parse(listed.stdout)).toHaveLength(2);

    // To root nothing is closed.
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const asNobody = (...args: string[]) =>
      spawnSync(join(packageRoot, 'bin', 'densenet'), args, { cwd: folder, encoding: 'utf8', ...nobody });
    await chmod(folder, 0o755);
    await chmod(a.path, 0);
    const one = asNobody('runs', 'list', '--json');
    expect(JSON.parse(one.stdout)).toContainEqual(
      expect.objectContaining({ run: a.name, status: 'damaged', problem: expect.stringContaining('EACCES') }),
    );
    await chmod(join(folder, 'results'), 0);
    for (const command of [
      ['runs', 'list'],
      ['table', '2'],
    ]) {
      const { status, stderr } = asNobody(...command);
      expect(stderr).toMatch(/^error: cannot read results\/runs: permission denied \(EACCES\)\n.*\n$/);
      expect(status).toBe(3);
    }
    await chmod(join(folder, 'results'), 0o755);
    await chmod(a.path, 0o755);
  });

  test('lists every run, sorted, also failed and damaged ones', async () => {
    const { folder, a, b, failed } = await someRuns();
    const damaged = await makeRun(join(folder, 'results'), 'smoke-svhn');
    await writeFile(damaged.result, '{');
    const { code, stdout } = await run(folder, ['runs', 'list', '--sort=test_error', '--format=csv']);
    expect(code).toBe(0);
    expect(parse(stdout, { columns: true })).toMatchObject([
      { run: b.name, status: 'finished', test_error: '11.25' },
      { run: a.name, status: 'finished', test_error: '12.5' },
      { run: failed.name, status: 'failed', problem: 'disk full', test_error: '' },
      { run: damaged.name, status: 'damaged', problem: expect.stringContaining('result.json') },
    ]);
    const text = await run(folder, ['runs', 'list']);
    expect(text.stdout.split('\n')[1]).toMatch(/^quickstart\/.*finished .*DenseNet-BC \(k=12\).* 12\.50/);
    expect(JSON.parse((await run(folder, ['runs', 'list', '--json'])).stdout)).toHaveLength(4);
  });

  test('shows one run, compares several, and the difference of two', async () => {
    const { folder, a, b } = await someRuns();
    const shown = await run(folder, ['runs', 'show', 'quickstart']);
    expect(shown.stdout).toMatch(/^config\.training\.seed +2$/m);
    const json = JSON.parse((await run(folder, ['runs', 'show', a.name, '--json'])).stdout);
    expect(json).toMatchObject({ name: a.name, status: 'finished', epochs: [{ epoch: 1 }, { epoch: 2 }] });
    const compared = await run(folder, [
      'runs',
      'compare',
      a.name,
      b.name,
      '--sort=-test_error',
      '--format=md',
    ]);
    expect(compared.stdout.split('\n').slice(2, 4)).toEqual([
      expect.stringMatching(/^\| \S+-seed-1 \| 1 \| finished .* 12\.50 /),
      expect.stringMatching(/^\| \S+-seed-2 \| 2 \| finished .* 11\.25 /),
    ]);
    const diff = await run(folder, ['runs', 'diff', a.name, b.name]);
    expect(diff.stdout).toMatch(/^test_error +12\.50 +11\.25 +−1\.25$/m);
  });

  test('compares experiments over their seeds', async () => {
    const { folder, a, failed } = await someRuns();
    const results = join(folder, 'results');
    await makeRun(results, 'quickstart', { set: ['training.seed=3'], errors: [60, 12.05] });
    for (const [seed, error] of [9.4, 9.9, 9.2].entries()) {
      await makeRun(results, 'fashion-mnist-bc-100-12', { set: [`training.seed=${seed}`], errors: [error] });
    }
    const { stdout } = await run(folder, ['runs', 'compare', a.name, 'fashion-mnist-bc-100-12', '--seeds']);
    // SciPy: mean, sd and t.ppf of 12.5, 11.25, 12.05; ttest_ind of 9.4, 9.9, 9.2 and these, not of equal variances.
    expect(stdout).toMatch(/^quickstart +3 +11\.93 +0\.63 +10\.36 … 13\.51 /m);
    expect(stdout).toMatch(/^fashion-mnist-bc-100-12 − quickstart: −2\.43 \[−3\.73, −1\.14\], p = 0\.009$/m);
    const refused = await run(folder, ['runs', 'compare', a.name, failed.name, '--seeds']);
    expect(refused.stderr).toMatch(/^error: smoke-cifar10\/\S+ is not finished/);
  });

  test('writes no name of a folder as a formula into CSV', async () => {
    const folder = await temporaryFolder();
    await makeRun(join(folder, 'results'), 'quickstart');
    await rename(join(folder, 'results/runs/quickstart'), join(folder, 'results/runs/=1+1'));
    const { stdout } = await run(folder, ['runs', 'list', '--format=csv']);
    expect(parse(stdout, { columns: true })).toMatchObject([
      { run: expect.stringMatching(/^'=1\+1\/2/), test_error: '20' },
    ]);
  });

  test('says what is wrong in one line', async () => {
    const { folder, a } = await someRuns();
    for (const [args, says] of [
      [['list', '--sort=eror'], /no column 'eror'/],
      [['show', 'quickstrat'], /no run 'quickstrat'.*\nDid you mean 'quickstart'\?/],
      [['compare', a.name], /two runs or more/],
    ] as const) {
      const { code, stderr } = await run(folder, ['runs', ...args]);
      expect(code).toBe(2);
      expect(stderr.trim().split('\n')).toHaveLength(2);
      expect(stderr).toMatch(says);
    }
    await rm(join(folder, 'results'), { recursive: true });
    expect((await run(folder, ['runs', 'list'])).stdout.trim()).toBe('(nothing)');
  });

  test('keeps notes and tags with a run, and lists runs by status and tag', async () => {
    const { folder, a, failed } = await someRuns();
    await run(folder, ['runs', 'note', a.name, 'wider, as in the draft']);
    const tagged = await run(folder, ['runs', 'tag', a.name, 'draft', 'v1.0', '--json']);
    expect(JSON.parse(tagged.stdout)).toEqual({ run: a.name, tags: ['draft', 'v1.0'] });
    expect(await readFile(join(a.path, 'note.txt'), 'utf8')).toBe('wider, as in the draft\n');
    const shown = await run(folder, ['runs', 'show', a.name]);
    expect(shown.stdout).toMatch(/^tags +draft v1\.0\nnote +wider, as in the draft$/m);
    const listed = async (...options: string[]) => {
      const { stdout } = await run(folder, ['runs', 'list', '--json', ...options]);
      return (JSON.parse(stdout) as { run: string }[]).map((row) => row.run);
    };
    expect(await listed('--tag=other,draft')).toEqual([a.name]);
    expect(await listed('--status=failed,killed')).toEqual([failed.name]);
    const untagged = await run(folder, ['runs', 'tag', a.name, 'draft', '--remove']);
    expect(untagged.stdout).toBe(`${a.name}: v1.0\n`);
  });

  test('removes runs where it is told so, on a terminal or by --yes', async () => {
    const { folder, a, b } = await someRuns();
    const refused = await run(folder, ['runs', 'rm', a.name]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/no terminal.*\n.*--yes\n$/)]);
    for (const [answer, left] of [
      ['n', true],
      ['y', false],
    ] as const) {
      const asked = startInTerminal(folder, ['runs', 'rm', a.name, a.name]);
      expect(await asked.seen(/ {2}.*\r\nRemove this run for good\? \[y\/N\]/)).toContain(
        'test error 12.50 %',
      );
      asked.process.stdin!.write(`${answer}\n`);
      expect((await asked.ended).code).toBe(0);
      expect(existsSync(a.path)).toBe(left);
    }
    expect((await run(folder, ['runs', 'rm', b.name, '--yes'])).stdout).toContain(`Removed ${b.name}\n`);
    expect(await readdir(join(folder, 'results/runs/quickstart'))).toEqual([]);
    expect(await readFile(join(folder, 'results/test-error.csv'), 'utf8')).not.toContain('11.25');
    // What only looks like a run.
    await writeFile(join(folder, 'config.json'), '{}');
    const stranger = await run(folder, ['runs', 'rm', '.', '--yes']);
    expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringMatching(/not a run in results\n/)]);
  });
});
