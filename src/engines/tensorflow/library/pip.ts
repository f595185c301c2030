import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../util/errors.js';
import { makeFolders } from '../../../util/files.js';
import type { Reporter } from '../../../util/reporter.js';
import { runTool, ToolError } from '../../../util/run-tool.js';
import { PYTHON_TAGS, type Wheel } from './packages.js';

/** Milliseconds between two looks at how much has arrived. */
const POLL = 500;

const PLATFORMS = [
  'manylinux_2_28',
  'manylinux_2_27',
  'manylinux_2_17',
  'manylinux2014',
  'manylinux2010',
  'manylinux_2_12',
];

/** The Python that has pip: its command and pip's version; undefined where there is none. */
export async function findPip(): Promise<{ command: string; version: string } | undefined> {
  for (const command of ['python3', 'python']) {
    try {
      const stdout = await runTool(command, ['-m', 'pip', '--version']);
      return { command, version: stdout.split(' ').slice(0, 2).join(' ') };
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

/**
 * Downloads wheels into `folder` with pip, which knows the person's mirrors and proxies; nothing is installed.
 * pip refuses a file whose digest is not the pinned one. Throws a UserError (engine) that says what pip said.
 */
export async function downloadWheels(
  python: string,
  wheels: readonly Wheel[],
  folder: string,
  reporter: Reporter,
  signal?: AbortSignal,
): Promise<void> {
  const temporary = join(folder, 'tmp');
  await makeFolders(temporary);
  const requirements = join(folder, 'requirements.txt');
  const lines = wheels.map(({ requirement, sha256 }) => `${requirement} --hash=sha256:${sha256}`);
  await writeFile(requirements, `${lines.join('\n')}\n`);
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const args = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps'];
  args.push('--only-binary=:all:', '--require-hashes', '--requirement', requirements, '--dest', folder);
  args.push('--implementation=cp', `--python-version=${PYTHON_TAGS.version}`, `--abi=${PYTHON_TAGS.abi}`);
  args.push('--abi=none', ...PLATFORMS.map((platform) => `--platform=${platform}_${machine}`));
  const bar = reporter.bar('TensorFlow library', total(wheels), 'bytes');
  const poll = setInterval(() => {
    folderBytes(folder).then(
      (bytes) => bar.update(Math.min(bytes, total(wheels))),
      () => undefined,
    );
  }, POLL);
  try {
    await runTool(python, args, { env: { ...process.env, TMPDIR: temporary }, signal });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new UserError(
      'engine',
      `pip could not download TensorFlow: ${error.firstComplaint.replace(/^ERROR: /, '')}`,
      'Check the network, the disk, and pip config list (mirror, proxy); or use --engine native.',
      { cause: error },
    );
  } finally {
    clearInterval(poll);
    bar.finish();
  }
}

export function total(wheels: readonly Wheel[]): number {
  return wheels.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function folderBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return sum;
}
