import { execFile } from 'node:child_process';
import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { run, temporaryFolder } from '../program.js';

/** What bash offers after these words, with the program's script loaded. */
async function completions(...words: string[]): Promise<string[]> {
  const folder = await temporaryFolder();
  await symlink(join(packageRoot, 'bin', 'densenet'), join(folder, 'densenet'));
  await chmod(join(packageRoot, 'bin', 'densenet'), 0o755);
  const script = `
    # What Debian's bash-completion provides, for words without = and :.
    _get_comp_words_by_ref() {
      words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD
      cur=\${words[cword]}; prev=\${words[cword-1]}
    }
    source <(densenet complete bash)
    COMP_WORDS=(densenet "$@")
    COMP_CWORD=$#
    COMP_LINE="densenet $*"
    COMP_POINT=\${#COMP_LINE}
    COMP_TYPE=63
    __densenet_complete
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', ...words], { env });
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/[\t ]/)[0]!)
    .filter(Boolean);
}

test('bash completes commands, options and choices', async () => {
  expect(await completions('tra')).toEqual(['train']);
  expect(await completions('train', '--eng')).toEqual(['--engine']);
  expect(await completions('train', '--engine', '')).toEqual(['auto', 'native', 'tensorflow']);
  expect(await completions('runs', 'comp')).toEqual(['compare']);
});

test('there are scripts for zsh and fish too; other shells are refused', async () => {
  const folder = await temporaryFolder();
  expect((await run(folder, ['complete', 'zsh'])).stdout).toContain('#compdef densenet');
  expect((await run(folder, ['complete', 'fish'])).stdout).toContain('complete -c densenet');
  expect(await run(folder, ['complete', 'tcsh'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('tcsh'),
  });
});
