import { atHome } from './home.js';
import { runTool } from './run-tool.js';

export interface Compiler {
  readonly command: string;
  /** First line of `--version`. */
  readonly version: string;
  /** What else its builds depend on. */
  readonly calls?: string;
}

/** The C++ compiler: the first of $CXX, c++, g++ and clang++ that runs; undefined if none does. */
export async function findCompiler(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Compiler | undefined> {
  for (const command of [atHome(environment.CXX ?? ''), 'c++', 'g++', 'clang++']) {
    if (!command) continue;
    try {
      const stdout = await runTool(command, ['--version'], { env: environment });
      return { command, version: stdout.split('\n')[0]!.trim() };
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
