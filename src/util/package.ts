import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from './run-tool.js';

/** The folder of package.json, whether this file runs from dist/ or from src/. */
export const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The version in package.json, the only place where it is written. */
export const packageVersion = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

export interface GitState {
  readonly commit: string;
  readonly dirty: boolean;
}

/**
 * Commit of the program, and whether its files differ from it; undefined outside a git checkout of its own. Nothing is
 * written there, as `git status` by itself would.
 */
export async function gitState(): Promise<GitState | undefined> {
  const folder = join(packageRoot, '.git');
  // Not of a project that the program is installed in, nor of one that GIT_DIR names.
  if (!existsSync(folder)) return undefined;
  const own = ['--no-optional-locks', `--git-dir=${folder}`, `--work-tree=${packageRoot}`, '-C', packageRoot];
  const git = async (...args: string[]) => (await runTool('git', [...own, ...args])).trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    return { commit, dirty: (await git('status', '--porcelain')) !== '' };
  } catch {
    return undefined;
  }
}
